package dev.holdfast.crashtest.twophase;

import org.jspecify.annotations.Nullable;

/**
 * Whoever looks after prepared branches, one at a time.
 *
 * @param op the operation whose branch it is at
 * @param participant where that is
 * @param holds whether its inserted row is there
 * @param cleaned up to where it was cleaned when it listed the branches; only a mutant uses that
 */
record Recoverer(At at, int op, int participant, boolean holds, int cleaned) {

  enum At {
    IDLE,
    /** Has seen the branch prepared. */
    LISTED,
    COMMITTING,
    ROLLING_BACK,
    /** What it wanted to commit is not prepared: looks for the witness. */
    NOT_PREPARED,
    NO_WITNESS,
    /** What it wanted to roll back is not prepared: looks for the witness. */
    NOT_PREPARED_EITHER,
    /** The decision may have been forgotten. */
    REPORTING
  }

  static final Recoverer IDLE = new Recoverer(At.IDLE, 0, 0, false, 0);

  Recoverer go(At next) {
    return new Recoverer(next, op, participant, holds, 0);
  }

  Recoverer hold() {
    return new Recoverer(at, op, participant, true, 0);
  }

  Recoverer lose() {
    return new Recoverer(at, op, participant, false, 0);
  }

  boolean holds(int operation) {
    return holds && op == operation;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Recoverer that
        && at == that.at
        && op == that.op
        && participant == that.participant
        && holds == that.holds
        && cleaned == that.cleaned;
  }

  @Override
  public int hashCode() {
    return at.hashCode() + 8 * (op + 4 * (participant + 4 * (cleaned + (holds ? 4 : 0))));
  }

  @Override
  public String toString() {
    return at == At.IDLE ? "idle" : at + " of " + (op + 1) + " at " + participant;
  }
}
