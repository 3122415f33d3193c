package dev.holdfast.crashtest.twophase;

import org.jspecify.annotations.Nullable;

/**
 * Whoever forgets decisions and witnesses; does what {@code Cleaner} does, in its order.
 *
 * @param from up to where it was cleaned when it began
 * @param bound up to where it may clean, as far as it has looked
 * @param witnesses the operations whose witness it has read, as bits
 * @param decisions the operations whose decision it has read, as bits
 */
record Sweeper(At at, int participant, int from, int bound, int witnesses, int decisions) {

  enum At {
    IDLE,
    READ_OVER,
    /** Has the participant refuse what is over. */
    REFUSE,
    READ_PREPARED,
    READ_WITNESSES,
    READ_DECISIONS,
    CLEAN,
    FORGET
  }

  static final int UNBOUNDED = Integer.MAX_VALUE;
  static final Sweeper IDLE = new Sweeper(At.IDLE, 0, 0, 0, 0, 0);

  /** Whether it has been told that the serial's transaction is over, and acts on it. */
  boolean relies(int serial) {
    return at != At.IDLE && at != At.FORGET && bound != UNBOUNDED && bound >= serial;
  }

  Sweeper bound(At next, int atMost) {
    return new Sweeper(next, participant, from, Math.min(bound, atMost), witnesses, decisions);
  }

  Sweeper witnesses(At next, int bits) {
    return new Sweeper(next, participant, from, bound, bits, decisions);
  }

  Sweeper decisions(At next, int bits) {
    return new Sweeper(next, participant, from, bound, witnesses, bits);
  }

  static Sweeper forget(int participant, int upTo) {
    return new Sweeper(At.FORGET, participant, upTo, upTo, 0, 0);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Sweeper that
        && at == that.at
        && participant == that.participant
        && from == that.from
        && bound == that.bound
        && witnesses == that.witnesses
        && decisions == that.decisions;
  }

  @Override
  public int hashCode() {
    return at.hashCode()
        + 8 * (participant + 4 * (from + 4 * (witnesses + 4 * (decisions + 4 * bound))));
  }

  @Override
  public String toString() {
    return at == At.IDLE ? "idle" : at + " at " + participant;
  }
}
