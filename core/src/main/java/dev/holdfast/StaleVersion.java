package dev.holdfast;

import org.jspecify.annotations.Nullable;

/**
 * An update that expected a version found another, or no row: somebody else changed it first. The
 * transaction is rolled back by {@link Holdfast#transact}; read again and decide anew.
 */
public class StaleVersion extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public StaleVersion(String message) {
    super(message);
  }

  public StaleVersion(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** The row that an update expected is not there, or has another version. */
  public static StaleVersion of(String sql) {
    return new StaleVersion(
        "An update expected a version that the row no longer has (or the row is gone), so it"
            + " changed nothing. Let this exception leave the callback: the transaction is then"
            + " rolled back. Read the row again and decide anew. Statement: "
            + sql);
  }
}
