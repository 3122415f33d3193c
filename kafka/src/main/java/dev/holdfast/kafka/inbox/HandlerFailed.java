package dev.holdfast.kafka.inbox;

import dev.holdfast.StoreUnavailable;
import dev.holdfast.inbox.TryAgainLater;

/** A record of a slice could not be handled; the slice is rolled back. */
final class HandlerFailed extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int index;

  HandlerFailed(int index, Throwable cause) {
    super(cause);
    this.index = index;
  }

  int index() {
    return index;
  }

  /** Whether nothing is wrong with the record. */
  boolean isOutage() {
    return getCause() instanceof TryAgainLater || getCause() instanceof StoreUnavailable;
  }

  /** For people, and not longer than they read. */
  String reason() {
    String text = String.valueOf(getCause());
    return text.length() <= 1_000 ? text : text.substring(0, 1_000) + " ...";
  }
}
