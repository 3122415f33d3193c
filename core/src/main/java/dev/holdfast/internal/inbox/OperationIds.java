package dev.holdfast.internal.inbox;

import org.jspecify.annotations.Nullable;

/** The operation ids that messages carry. */
public final class OperationIds {
  private static final int LONGEST = 200;

  private OperationIds() {}

  /**
   * The id where a database can keep it. One that cannot be kept is no reason not to handle its
   * message: the operation gets a new one.
   */
  public static @Nullable String usable(@Nullable String carried) {
    boolean usable =
        carried != null
            && !carried.isEmpty()
            && carried.length() <= LONGEST
            && carried.indexOf('\0') < 0;
    return usable ? carried : null;
  }
}
