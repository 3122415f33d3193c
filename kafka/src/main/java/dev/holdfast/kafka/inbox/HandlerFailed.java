package dev.holdfast.kafka.inbox;

/** A record of a slice could not be handled; the slice is rolled back. */
final class HandlerFailed extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** In place of a place: which record it is, nobody can tell. */
  static final int SOMEWHERE = -1;

  private final int place;
  private final boolean outage;

  /**
   * @param place of the record in the slice, or {@link #SOMEWHERE}
   * @param outage whether nothing is wrong with the record
   */
  HandlerFailed(int place, boolean outage, Throwable cause) {
    super(cause);
    this.place = place;
    this.outage = outage;
  }

  int place() {
    return place;
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
