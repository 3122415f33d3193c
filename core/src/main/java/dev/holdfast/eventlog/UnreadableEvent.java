package dev.holdfast.eventlog;

import dev.holdfast.HoldfastException;
import org.jspecify.annotations.Nullable;

/**
 * An event cannot be read as what it is said to be. It is left as it is, and is not passed over:
 * whoever follows the log stops in front of it.
 */
public final class UnreadableEvent extends HoldfastException {
  private static final long serialVersionUID = 1L;

  private final long position;

  public UnreadableEvent(RecordedEvent event, String why, @Nullable Throwable cause) {
    super(
        "The event at position %d, version %d of stream %s, of type %s and schema version %d, cannot be read: %s. It is left as it is."
            .formatted(
                event.position(),
                event.version(),
                event.stream(),
                event.type(),
                event.schemaVersion(),
                why),
        cause);
    this.position = event.position();
  }

  /** Where it is. */
  public long position() {
    return position;
  }
}
