package dev.holdfast.cli;

import dev.holdfast.InvalidConfiguration;

/** How much a command lists at most. */
public final class Limit {
  private Limit() {}

  /**
   * @throws InvalidConfiguration when it is not 1 to {@code most}
   */
  public static void check(int limit, int most) {
    if (limit < 1 || limit > most) {
      throw new InvalidConfiguration(
          "--limit is %d, and must be 1 to %d. Nothing was done.".formatted(limit, most));
    }
  }
}
