package dev.holdfast.kafka.inbox;

/** A record of a slice could not be handled; the slice is rolled back. */
final class HandlerFailed extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int index;
  private final boolean outage;

  /**
   * @param outage whether nothing is wrong with the record
   */
  HandlerFailed(int index, boolean outage, Throwable cause) {
    super(cause);
    this.index = index;
    this.outage = outage;
  }

  int index() {
    return index;
  }

  boolean isOutage() {
    return outage;
  }

  /** For people, not longer than they read, and without what a database does not store. */
  String reason() {
    String text = String.valueOf(getCause()).replace('\0', '\uFFFD');
    return text.length() <= 1_000 ? text : text.substring(0, 1_000) + " ...";
  }
}
