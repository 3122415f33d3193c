package dev.holdfast.projection;

import dev.holdfast.eventlog.RecordedEvent;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Up to where a channel has published, as its target keeps it.
 *
 * @param event which is there, by which it is told whether the log is still the same; {@code null}
 *     where only the position is known
 */
record Sent(long position, @Nullable UUID event) {
  static Sent of(RecordedEvent event) {
    return new Sent(event.position(), event.id());
  }

  static Sent parse(String text) {
    int space = text.indexOf(' ');
    return space < 0
        ? new Sent(Long.parseLong(text), null)
        : new Sent(
            Long.parseLong(text.substring(0, space)), UUID.fromString(text.substring(space + 1)));
  }

  @Override
  public String toString() {
    return event == null ? Long.toString(position) : position + " " + event;
  }
}
