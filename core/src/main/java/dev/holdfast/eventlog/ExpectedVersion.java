package dev.holdfast.eventlog;

/** How many events a stream has to have for an append to it. */
public sealed interface ExpectedVersion {

  /** As many as it has: whatever others append at the same time, these events follow. */
  record Any() implements ExpectedVersion {}

  /**
   * So many, which is the version of the last one.
   *
   * @param version 0 or more
   */
  record Exactly(long version) implements ExpectedVersion {
    /**
     * @throws InvalidEvent when it is negative
     */
    public Exactly {
      if (version < 0) {
        throw new InvalidEvent(
            "The expected version is %d, and must be 0, for a stream without events, or more. Nothing was appended."
                .formatted(version));
      }
    }
  }

  static ExpectedVersion any() {
    return new Any();
  }

  /** None: the stream begins with these events. */
  static ExpectedVersion none() {
    return new Exactly(0);
  }

  /** See {@link Exactly}. */
  static ExpectedVersion exactly(long version) {
    return new Exactly(version);
  }
}
