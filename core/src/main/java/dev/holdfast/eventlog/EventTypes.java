package dev.holdfast.eventlog;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.eventlog.Upcaster.Upcast;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.UnaryOperator;

/**
 * Events as values of Java types, under stable names: what is in the log names no class. Immutable,
 * thread-safe.
 *
 * <p>An event of an earlier schema version is brought to today's by one {@link Upcaster} for each
 * version, one after the other, when it is read; the log stays as it is. What cannot be read is an
 * {@link UnreadableEvent} and never passed over; what is of a type that is not named here is {@link
 * TypedEvent.UnknownType}, for the reader to decide.
 */
public final class EventTypes {
  private final Writes writes;
  private final Reads reads;
  private final Map<String, Type> byName;
  private final Map<Class<?>, Type> byClass;
  private final Map<Step, Upcaster> upcasters;

  private EventTypes(Builder builder) {
    this.writes = builder.writes;
    this.reads = builder.reads;
    this.byName = Map.copyOf(builder.byName);
    this.byClass = Map.copyOf(builder.byClass);
    this.upcasters = Map.copyOf(builder.upcasters);
  }

  /** Makes a JSON document of a value. */
  @FunctionalInterface
  public interface Writes {
    String write(Object value);
  }

  /** Makes a value of a JSON document. */
  @FunctionalInterface
  public interface Reads {
    Object read(String json, Class<?> type);
  }

  private record Type(String name, int schemaVersion, Class<?> javaType) {}

  private record Step(String type, int schemaVersion) {}

  /**
   * Begins, with what writes and reads JSON: with a codec as that of {@code holdfast-jackson},
   * {@code with(codec::write, codec::read)}.
   */
  public static Builder with(Writes writes, Reads reads) {
    return new Builder(writes, reads);
  }

  /**
   * A value as an event, under an id of its own.
   *
   * @throws InvalidEvent when its class is not named
   */
  public EventData event(Object value) {
    return event(UUID.randomUUID(), value);
  }

  /** As {@link #event(Object)}, under this id. */
  public EventData event(UUID id, Object value) {
    Type type = byClass.get(value.getClass());
    if (type == null) {
      throw new InvalidEvent(
          "The class %s has no type of event. Nothing was appended. Name one with type()."
              .formatted(value.getClass().getSimpleName()));
    }
    return EventData.json(id, type.name(), writes.write(value))
        .withSchemaVersion(type.schemaVersion());
  }

  /**
   * What an event says, in the schema of today.
   *
   * @throws UnreadableEvent when an upcaster throws or is missing, when it is of a later schema
   *     version than is known, or when its data is not what its type says
   */
  public TypedEvent read(RecordedEvent event) {
    RecordedEvent today = upcast(event);
    Type type = byName.get(today.type());
    if (type == null) {
      return new TypedEvent.UnknownType(event);
    }
    if (today.schemaVersion() > type.schemaVersion()) {
      throw new UnreadableEvent(
          event,
          "schema version %d of it is the latest that is known here. Run the version that appended it"
              .formatted(type.schemaVersion()),
          null);
    }
    if (today.schemaVersion() < type.schemaVersion()) {
      throw new UnreadableEvent(
          event,
          "there is no upcaster of %s from schema version %d, and %d is today's. Name it with upcast()"
              .formatted(today.type(), today.schemaVersion(), type.schemaVersion()),
          null);
    }
    try {
      return new TypedEvent.Known(event, reads.read(today.text(), type.javaType()));
    } catch (RuntimeException e) {
      throw new UnreadableEvent(
          event,
          "its data is not that of a %s (%s). Let it accept what was written before, or upcast it"
              .formatted(type.javaType().getSimpleName(), e.getMessage()),
          e);
    }
  }

  /** Ends, since each step leads to a higher version, and there are only so many. */
  private RecordedEvent upcast(RecordedEvent event) {
    RecordedEvent now = event;
    while (true) {
      Upcaster upcaster = upcasters.get(new Step(now.type(), now.schemaVersion()));
      if (upcaster == null) {
        return now;
      }
      Upcast upcast;
      try {
        upcast = upcaster.upcast(now);
      } catch (RuntimeException e) {
        throw new UnreadableEvent(
            event,
            "the upcaster of %s from schema version %d has thrown (%s). Let it accept what was written then"
                .formatted(now.type(), now.schemaVersion(), e),
            e);
      }
      now =
          new RecordedEvent(
              now.position(),
              now.stream(),
              now.version(),
              now.id(),
              upcast.type(),
              now.schemaVersion() + 1,
              now.contentType(),
              upcast.data(),
              now.metadata(),
              now.operationId(),
              now.recordedAt());
    }
  }

  /** Names types. Not thread-safe. */
  public static final class Builder {
    private final Writes writes;
    private final Reads reads;
    private final Map<String, Type> byName = new HashMap<>();
    private final Map<Class<?>, Type> byClass = new HashMap<>();
    private final Map<Step, Upcaster> upcasters = new HashMap<>();

    private Builder(Writes writes, Reads reads) {
      this.writes = writes;
      this.reads = reads;
    }

    /**
     * A type of event.
     *
     * @param name in the log, 1 to 200 characters; the same for ever
     * @param schemaVersion today's, from 1; what is appended is of it
     * @param javaType what it is written from and read as
     * @throws InvalidConfiguration when the name or the class is taken
     */
    public Builder type(String name, int schemaVersion, Class<?> javaType) {
      Type type = new Type(name, schemaVersion, javaType);
      if (byName.putIfAbsent(name, type) != null || byClass.putIfAbsent(javaType, type) != null) {
        throw new InvalidConfiguration(
            "The type of event %s, or its class %s, is named twice. Nothing was started. Give each class one name."
                .formatted(name, javaType.getSimpleName()));
      }
      return this;
    }

    /**
     * How events are brought to the next schema version.
     *
     * @param name their type
     * @param from their schema version; what comes out is of the next one
     * @throws InvalidConfiguration when there is one already
     */
    public Builder upcast(String name, int from, Upcaster upcaster) {
      if (upcasters.putIfAbsent(new Step(name, from), upcaster) != null) {
        throw new InvalidConfiguration(
            "There are two upcasters of %s from schema version %d. Nothing was started. Name one."
                .formatted(name, from));
      }
      return this;
    }

    /** As {@link #upcast}, of JSON, without another name. */
    public Builder upcastJson(String name, int from, UnaryOperator<String> json) {
      return upcast(
          name,
          from,
          event -> new Upcast(name, json.apply(event.text()).getBytes(StandardCharsets.UTF_8)));
    }

    public EventTypes build() {
      return new EventTypes(this);
    }
  }
}
