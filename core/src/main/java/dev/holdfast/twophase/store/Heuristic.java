package dev.holdfast.twophase.store;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A branch that somebody else ended otherwise than it was decided, or of which it cannot be told
 * any more: recorded, reported, and left to a person.
 *
 * @param gid the branch
 * @param operationId the operation it belonged to, where that is still known
 * @param kind what was found
 * @param foundAt when, by the decision database's clock
 * @param acknowledged who has taken note of it and what was done, for people; {@code null} when
 *     nobody has
 */
public record Heuristic(
    Gid gid,
    @Nullable String operationId,
    Kind kind,
    Instant foundAt,
    @Nullable String acknowledged) {

  /** What was found. */
  public enum Kind {
    /** Decided to commit, and neither prepared nor committed there any more. */
    ROLLED_BACK("it was decided to commit, and the branch is gone without having been committed"),
    /** Committed there, and there is no decision. */
    COMMITTED("the branch was committed, and it was not decided to"),
    /**
     * Prepared, without a decision, and so old that the decision may have been forgotten: the
     * participant may have lost its commit in a failover or a restore.
     */
    TOO_OLD("the branch is prepared, and the decision, if there was one, has been forgotten");

    private final String text;

    Kind(String text) {
      this.text = text;
    }

    /** For people: a clause without a full stop. */
    public String text() {
      return text;
    }
  }
}
