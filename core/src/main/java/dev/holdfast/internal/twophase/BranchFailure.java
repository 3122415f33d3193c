package dev.holdfast.internal.twophase;

import dev.holdfast.twophase.Participant;
import java.sql.SQLException;

/** An error of a participant, on its way to whoever decides whether the operation is run again. */
final class BranchFailure extends SQLException {
  private static final long serialVersionUID = 1L;

  private final transient Participant participant;
  private final String doing;
  private final SQLException error;

  BranchFailure(Participant participant, String doing, SQLException error) {
    super(error.getMessage(), error.getSQLState(), error.getErrorCode(), error);
    this.participant = participant;
    this.doing = doing;
    this.error = error;
  }

  boolean isRetryable() {
    return participant.branches().isRetryable(error);
  }

  RuntimeException translated(String operationId) {
    return participant
        .branches()
        .translate(
            "%s at participant %s of operation %s, which is committed nowhere"
                .formatted(doing, participant, operationId),
            error);
  }
}
