package dev.holdfast.eventlog;

import dev.holdfast.StaleVersion;

/**
 * An event was appended that a condition rules out. Nothing was appended by this append, and the
 * transaction can go on.
 */
public final class ConditionFailed extends StaleVersion {
  private static final long serialVersionUID = 1L;

  private final long position;

  public ConditionFailed(String stream, long version, long position) {
    super(
        "Somebody else has appended an event that the condition rules out, version %d of stream %s at position %d, so nothing was appended. Read what matches the condition again, and decide anew."
            .formatted(version, stream, position));
    this.position = position;
  }

  /** Of the first such event. */
  public long position() {
    return position;
  }
}
