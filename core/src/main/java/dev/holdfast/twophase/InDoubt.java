package dev.holdfast.twophase;

import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.PreparedBranch;
import org.jspecify.annotations.Nullable;

/**
 * A branch that is prepared and waits, for an operator to look at.
 *
 * @param branch what the participant says about it
 * @param operationId the operation it belongs to, when it is decided
 * @param state what it waits for
 * @param statement what to type at the participant to do what is right; {@code null} while that is
 *     not known, or is done by recovery
 */
public record InDoubt(
    PreparedBranch branch, @Nullable String operationId, State state, @Nullable String statement) {

  /** What a branch waits for. */
  public enum State {
    /** Its owner's transaction is open at the deciding database. */
    OWNER_ALIVE,
    /** Decided; recovery commits it. */
    COMMITTED,
    /** Not decided, and never will be; recovery rolls it back. */
    ROLLED_BACK,
    /** Not decided, and nobody here may roll it back yet: see the participant's claim. */
    NOT_OURS_TO_ABORT,
    /** So old that its decision may have been forgotten: a person has to say. */
    TOO_OLD
  }

  public Gid gid() {
    return branch.gid();
  }
}
