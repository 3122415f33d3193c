package dev.holdfast.eventlog;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What is to be appended, all or nothing: events for one stream or for several, each with its
 * expected version, and perhaps a condition. Immutable. Positions follow the order in which the
 * events are given.
 *
 * @param parts by stream, 1 or more; 1,000 events at most, and 200 tags
 * @param condition what must not have been appended; {@code null} for nothing
 * @param operationId the operation's id; {@code null} for that of the transaction, or a new one
 */
public record Append(
    List<Part> parts, @Nullable Condition condition, @Nullable String operationId) {
  private static final int MOST_EVENTS = 1_000;

  /** Of the lock table, which the whole cluster shares. */
  private static final int MOST_TAGS = 200;

  /** Under which {@link #withContext} keeps what it is given. */
  public static final String CORRELATION = "correlationid";

  public static final String CAUSATION = "causationid";
  public static final String TRACEPARENT = "traceparent";

  /**
   * The events for one stream.
   *
   * @param stream 1 to 200 characters
   * @param events 1 or more, in their order
   */
  public record Part(String stream, ExpectedVersion expected, List<EventData> events) {
    /**
     * @throws InvalidEvent when one of them is out of its bounds
     */
    public Part {
      EventData.requireName("The name of a stream", stream);
      events = List.copyOf(events);
      if (events.isEmpty()) {
        throw new InvalidEvent(
            "There are no events for the stream %s. Nothing was appended.".formatted(stream));
      }
    }
  }

  /**
   * @throws InvalidEvent when it is out of its bounds, or names a stream or an event twice
   */
  public Append {
    parts = List.copyOf(parts);
    Set<String> streams = new HashSet<>();
    Set<UUID> ids = new HashSet<>();
    Set<String> tags = new HashSet<>();
    int events = 0;
    for (Part part : parts) {
      if (!streams.add(part.stream())) {
        throw new InvalidEvent(
            "An append names the stream %s twice. Nothing was appended. Give it all events of a stream together."
                .formatted(part.stream()));
      }
      for (EventData event : part.events()) {
        if (!ids.add(event.id())) {
          throw new InvalidEvent(
              "An append names the event %s twice. Nothing was appended. Give each an id of its own."
                  .formatted(event.id()));
        }
        tags.addAll(event.tags());
        events++;
      }
    }
    if (events < 1 || events > MOST_EVENTS || tags.size() > MOST_TAGS) {
      throw new InvalidEvent(
          "An append has %d events and %d tags, and must have 1 to %d events and %d tags at most. Nothing was appended. Append them in several calls."
              .formatted(events, tags.size(), MOST_EVENTS, MOST_TAGS));
    }
    if (operationId != null) {
      EventData.requireName("The id of an operation", operationId);
    }
  }

  public static Append to(String stream, ExpectedVersion expected, EventData... events) {
    return to(stream, expected, List.of(events));
  }

  public static Append to(String stream, ExpectedVersion expected, List<EventData> events) {
    return new Append(List.of(new Part(stream, expected, events)), null, null);
  }

  /** The same, and these events to another stream. */
  public Append and(String stream, ExpectedVersion expected, EventData... events) {
    List<Part> more = new ArrayList<>(parts);
    more.add(new Part(stream, expected, List.of(events)));
    return new Append(more, condition, operationId);
  }

  /** The same, on this condition. */
  public Append onlyIf(Condition value) {
    return new Append(parts, value, operationId);
  }

  /** The same, as a part of this operation. */
  public Append operation(String value) {
    return new Append(parts, condition, value);
  }

  /**
   * The same, where each event says in its metadata what it belongs to, unless it says so itself.
   *
   * @param correlation what the whole of it is about; {@code null} for nothing
   * @param causation the id of the message or event that has led to it; {@code null} for none
   * @param traceparent the W3C trace context; {@code null} for none
   */
  public Append withContext(
      @Nullable String correlation, @Nullable String causation, @Nullable String traceparent) {
    List<Part> said = new ArrayList<>();
    for (Part part : parts) {
      List<EventData> events = new ArrayList<>();
      for (EventData event : part.events()) {
        events.add(
            say(
                say(say(event, CORRELATION, correlation), CAUSATION, causation),
                TRACEPARENT,
                traceparent));
      }
      said.add(new Part(part.stream(), part.expected(), events));
    }
    return new Append(said, condition, operationId);
  }

  private static EventData say(EventData event, String name, @Nullable String value) {
    return value == null || event.metadata().containsKey(name)
        ? event
        : event.withMetadata(name, value);
  }
}
