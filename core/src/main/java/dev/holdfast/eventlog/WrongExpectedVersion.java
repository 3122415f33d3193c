package dev.holdfast.eventlog;

import dev.holdfast.StaleVersion;

/**
 * A stream has not the version that an append expected: somebody else has appended to it. Nothing
 * was appended, and the transaction can go on.
 */
public final class WrongExpectedVersion extends StaleVersion {
  private static final long serialVersionUID = 1L;

  private final String stream;
  private final long actual;

  public WrongExpectedVersion(String stream, long expected, long actual) {
    super(
        "The stream %s is at version %d, and the append expected %d, so nothing was appended. %s"
            .formatted(
                stream,
                actual,
                expected,
                actual > expected
                    ? "Read what was appended behind %d, and decide anew.".formatted(expected)
                    : "It has no event of version %d: expect the version of the last event that was read, and append what comes before first."
                        .formatted(expected)));
    this.stream = stream;
    this.actual = actual;
  }

  public String stream() {
    return stream;
  }

  /** The version of the stream's last event, 0 when it has none. */
  public long actual() {
    return actual;
  }
}
