package dev.holdfast.projection;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.store.OutboxRecord;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * What is published of the event log, and to where: the same targets as those of the outbox's
 * channels. A message has the event's id, type, data, metadata and operation id, the stream as its
 * key, and the event's position. So there is no second place in which it would have to be recorded:
 * that the event is there is that it will be published.
 *
 * <p>In the order of the key, and at least once; once where the target keeps the channel's progress
 * ({@code PROGRESS_MARK}) or drops repeats. Immutable and thread-safe.
 */
public final class EventChannel {
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,79}");

  private final String name;
  private final Target target;
  private final Predicate<RecordedEvent> filter;
  private final Function<RecordedEvent, String> topic;

  private EventChannel(
      String name,
      Target target,
      Predicate<RecordedEvent> filter,
      Function<RecordedEvent, String> topic) {
    this.name = name;
    this.target = target;
    this.filter = filter;
    this.topic = topic;
  }

  /**
   * Publishes all events; under their types as topics.
   *
   * @param name 1 to 80 of {@code a-z 0-9 . _ -}; names the progress, so keep it stable
   */
  public static EventChannel named(String name, Target target) {
    if (!NAME.matcher(name).matches()) {
      throw new InvalidConfiguration(
          "A channel of events is named \"%s\": names have 1 to 80 of the characters a-z 0-9 . _ -, beginning with a letter or a digit. Nothing was built."
              .formatted(name));
    }
    return new EventChannel(name, target, event -> true, RecordedEvent::type);
  }

  /** Only what this holds for; the same for an event at each time. */
  public EventChannel only(Predicate<RecordedEvent> value) {
    return new EventChannel(name, target, value, topic);
  }

  /** All of it under one topic. */
  public EventChannel topic(String value) {
    return topic(event -> value);
  }

  public EventChannel topic(Function<RecordedEvent, String> value) {
    return new EventChannel(name, target, filter, value);
  }

  public String name() {
    return name;
  }

  Target target() {
    return target;
  }

  boolean concerns(RecordedEvent event) {
    return filter.test(event);
  }

  OutboxRecord message(RecordedEvent event) {
    return new OutboxRecord(
        event.position(),
        OutboxRecord.Kind.MESSAGE,
        event.id(),
        topic.apply(event),
        event.stream(),
        event.type(),
        event.contentType(),
        event.data(),
        event.metadata(),
        event.operationId(),
        event.recordedAt().toEpochMilli());
  }

  @Override
  public String toString() {
    return "channel " + name + " of events to " + target.description();
  }
}
