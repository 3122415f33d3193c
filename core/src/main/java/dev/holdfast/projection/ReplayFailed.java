package dev.holdfast.projection;

import dev.holdfast.HoldfastException;
import dev.holdfast.eventlog.RecordedEvent;

/** An event could not be applied. What the transaction had done is rolled back. */
public final class ReplayFailed extends HoldfastException {
  private static final long serialVersionUID = 1L;

  ReplayFailed(RecordedEvent event, Exception cause) {
    super(
        "%s could not be applied: %s. What the transaction had done is rolled back. Mend what it needs, and do it again."
            .formatted(event, cause),
        cause);
  }
}
