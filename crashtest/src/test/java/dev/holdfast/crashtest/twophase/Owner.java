package dev.holdfast.crashtest.twophase;

import dev.holdfast.internal.twophase.OwnerProtocol;
import org.jspecify.annotations.Nullable;

/**
 * The process that runs an operation.
 *
 * @param state where it is in its table
 * @param doing what it is at
 * @param at which branch, when it goes through them
 * @param prepared how many it has asked to prepare
 * @param told what its caller was told
 */
record Owner(OwnerProtocol.State state, Doing doing, int at, int prepared, Told told) {

  /** The table's actions, and what is before, within and after them. */
  enum Doing {
    NOT_BEGUN,
    WORK,
    WRITE_DECISION,
    PREPARE,
    COMMIT_DECISION,
    COMMIT_BRANCHES,
    /** A branch that it wanted to commit is not prepared: looks for the witness. */
    LOOK_FOR_WITNESS,
    /** There is none: looks up to where it is cleaned. */
    LOOK_UP_CLEANED,
    ROLL_BACK,
    RETURN,
    THROW,
    /** The caller may ask what became of it. */
    ASK,
    CRASHED,
    ENDED
  }

  enum Told {
    NOTHING,
    COMMITTED,
    NOT_COMMITTED,
    UNKNOWN,
    HEURISTIC
  }

  static final Owner NOT_BEGUN =
      new Owner(OwnerProtocol.State.WORKING, Doing.NOT_BEGUN, 0, 0, Told.NOTHING);
  static final Owner WORKING =
      new Owner(OwnerProtocol.State.WORKING, Doing.WORK, 0, 0, Told.NOTHING);

  /** What it knew is gone with it. */
  Owner crash() {
    return new Owner(OwnerProtocol.State.WORKING, Doing.CRASHED, 0, 0, told);
  }

  Owner end(Told value) {
    return new Owner(OwnerProtocol.State.WORKING, Doing.ENDED, 0, 0, value);
  }

  Owner doing(Doing value, int branch) {
    return new Owner(state, value, branch, prepared, told);
  }

  Owner tell(Told value) {
    return new Owner(state, doing, at, prepared, value);
  }

  Owner askedToPrepare() {
    return new Owner(state, doing, at, prepared + 1, told);
  }

  /** Whether it does something yet. */
  boolean isAlive() {
    return switch (doing) {
      case NOT_BEGUN, ASK, CRASHED, ENDED -> false;
      case WORK,
          WRITE_DECISION,
          PREPARE,
          COMMIT_DECISION,
          COMMIT_BRANCHES,
          LOOK_FOR_WITNESS,
          LOOK_UP_CLEANED,
          ROLL_BACK,
          RETURN,
          THROW ->
          true;
    };
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Owner that
        && state == that.state
        && doing == that.doing
        && at == that.at
        && prepared == that.prepared
        && told == that.told;
  }

  @Override
  public int hashCode() {
    return state.hashCode()
        + 31 * (doing.hashCode() + 31 * (at + 7 * (prepared + 7 * told.hashCode())));
  }

  @Override
  public String toString() {
    return (isAlive() ? state + "/" : "") + doing + (told == Told.NOTHING ? "" : ", told " + told);
  }
}
