package dev.holdfast.eventlog;

import dev.holdfast.Codec;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.UnreadableData;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * How events are called in the log, and how they are written and read: each class of a sealed type
 * has a stable name, and a schema version that is raised when its form changes. What was recorded
 * in an earlier form is brought into today's by upcasters, version by version, when it is read; the
 * log is never rewritten. Immutable and thread-safe.
 *
 * @param <E> the events
 */
public final class EventTypes<E> {
  /** One class of events. */
  private record Type<E>(
      String name, int version, Class<? extends E> of, Function<E, Set<String>> tags) {}

  /** Brings the data of one schema version into the form of the next. */
  private record Step(String type, int from) {}

  private final Codec codec;
  private final Map<Class<?>, Type<E>> byClass;
  private final Map<String, Type<E>> byName;
  private final Map<Step, UnaryOperator<String>> upcasters;
  private final Map<String, String> renamed;

  private EventTypes(Builder<E> builder, Codec codec) {
    this.codec = codec;
    this.byClass = Map.copyOf(builder.byClass);
    this.byName = Map.copyOf(builder.byName);
    this.upcasters = Map.copyOf(builder.upcasters);
    this.renamed = Map.copyOf(builder.renamed);
  }

  /**
   * Begins to name the events of a sealed type.
   *
   * @param events a sealed type, or a final class
   */
  public static <E> Builder<E> of(Class<E> events) {
    return new Builder<>(events);
  }

  /** Names events. Not thread-safe. */
  public static final class Builder<E> {
    private final Class<E> events;
    private final Map<Class<?>, Type<E>> byClass = new LinkedHashMap<>();
    private final Map<String, Type<E>> byName = new HashMap<>();
    private final Map<Step, UnaryOperator<String>> upcasters = new HashMap<>();
    private final Map<String, String> renamed = new HashMap<>();

    private Builder(Class<E> events) {
      this.events = events;
    }

    /** A class whose form has never changed. */
    public Builder<E> type(String name, Class<? extends E> type) {
      return type(name, 1, type);
    }

    /**
     * @param name 1 to 200 characters; never changed, as long as there is such an event
     * @param schemaVersion of what is written today, 1 to 1,000; each before it has an {@linkplain
     *     #upcast upcaster}
     */
    public Builder<E> type(String name, int schemaVersion, Class<? extends E> type) {
      return type(name, schemaVersion, type, event -> Set.of());
    }

    /**
     * @param tags what an event is about, for conditions
     */
    public <T extends E> Builder<E> type(
        String name, int schemaVersion, Class<T> type, Function<? super T, Set<String>> tags) {
      if (name.isEmpty() || name.length() > 200 || schemaVersion < 1 || schemaVersion > 1_000) {
        throw new InvalidConfiguration(
            "Events of %s are called \"%s\", version %d: names have 1 to 200 characters, and versions are 1 to 1,000. Nothing was built."
                .formatted(type.getName(), name, schemaVersion));
      }
      Type<E> one = new Type<>(name, schemaVersion, type, event -> tags.apply(type.cast(event)));
      if (byName.put(name, one) != null || byClass.put(type, one) != null) {
        throw new InvalidConfiguration(
            "%s or the name %s is there twice. Nothing was built. Give each class one name of its own."
                .formatted(type.getName(), name));
      }
      return this;
    }

    /**
     * Brings data of one schema version into the form of the next one.
     *
     * @param upcast from JSON to JSON; a pure function
     */
    public Builder<E> upcast(String name, int from, UnaryOperator<String> upcast) {
      if (upcasters.put(new Step(name, from), upcast) != null) {
        throw new InvalidConfiguration(
            "There are two upcasters for %s from version %d. Nothing was built."
                .formatted(name, from));
      }
      return this;
    }

    /**
     * How events were called before: what was recorded under the former name is read as if it were
     * under the name of today, in the same schema version.
     *
     * @throws InvalidConfiguration when that is known already
     */
    public Builder<E> renamed(String former, String name) {
      if (renamed.put(former, name) != null) {
        throw new InvalidConfiguration(
            "The events %s were renamed twice. Nothing was built.".formatted(former));
      }
      return this;
    }

    /**
     * @throws InvalidConfiguration when a class has no name, or a version no upcaster
     */
    public EventTypes<E> build(Codec codec) {
      Leaves.assign(Leaves.of("Event", events), byClass, "type(…)");
      for (Type<E> type : byName.values()) {
        for (int from = 1; from < type.version(); from++) {
          if (!upcasters.containsKey(new Step(type.name(), from))) {
            throw new InvalidConfiguration(
                "%s is written in version %d, and nothing brings version %d into the next. Nothing was built. Add upcast(\"%s\", %d, …)."
                    .formatted(type.name(), type.version(), from, type.name(), from));
          }
        }
      }
      renamed.forEach(
          (former, name) -> {
            if (byName.containsKey(former) || !byName.containsKey(name)) {
              throw new InvalidConfiguration(
                  "The events %s were renamed to %s: the former name must be nobody's, and the other a type's. Nothing was built."
                      .formatted(former, name));
            }
          });
      for (Step step : upcasters.keySet()) {
        Type<E> type = byName.get(step.type());
        if (type == null || step.from() < 1 || step.from() >= type.version()) {
          throw new InvalidConfiguration(
              "There is an upcaster for %s from version %d, and no later version of such an event. Nothing was built."
                  .formatted(step.type(), step.from()));
        }
      }
      return new EventTypes<>(this, codec);
    }
  }

  /**
   * What events of a class are called.
   *
   * @throws InvalidConfiguration when they have no name
   */
  public String nameOf(Class<? extends E> type) {
    Type<E> named = byClass.get(type);
    if (named == null) {
      throw new InvalidConfiguration(
          "Events of %s have no name of their own. Nothing was built.".formatted(type.getName()));
    }
    return named.name();
  }

  /** Whether events of this name are known. */
  public boolean knows(String name) {
    return byName.containsKey(today(name));
  }

  /** What events that were recorded under a name are called today: the same, unless renamed. */
  public String today(String name) {
    return renamed.getOrDefault(name, name);
  }

  /**
   * Writes an event in today's form.
   *
   * @throws UnreadableData when it cannot be written
   */
  public EventData write(UUID id, E event) {
    Type<E> type = byClass.get(event.getClass());
    if (type == null) {
      throw new UnreadableData(
          "%s is no event that has a name. Nothing was appended.".formatted(event.getClass()));
    }
    return new EventData(
        id,
        type.name(),
        type.version(),
        "application/json",
        codec.write(event).getBytes(StandardCharsets.UTF_8),
        Map.of(),
        Set.copyOf(type.tags().apply(event)));
  }

  /**
   * Reads an event, whatever form it was recorded in.
   *
   * @throws UnreadableEvent when its type is not known, its version is a later one, an upcaster has
   *     thrown, or its data is not what the class has
   */
  public E read(RecordedEvent event) {
    Type<E> type = byName.get(today(event.type()));
    if (type == null) {
      throw new UnreadableEvent(
          event, "no such type is known here. Name it, or run the version that appended it", null);
    }
    if (event.schemaVersion() > type.version()) {
      throw new UnreadableEvent(
          event,
          "it has version %d, and this program knows %d: run a later one"
              .formatted(event.schemaVersion(), type.version()),
          null);
    }
    String json = event.text();
    for (int from = event.schemaVersion(); from < type.version(); from++) {
      try {
        json = upcast(type, from, json);
      } catch (RuntimeException e) {
        throw new UnreadableEvent(
            event, "the upcaster from version %d has thrown %s".formatted(from, e), e);
      }
    }
    try {
      return codec.read(json, type.of());
    } catch (UnreadableData e) {
      throw new UnreadableEvent(event, String.valueOf(e.getMessage()), e);
    }
  }

  private String upcast(Type<E> type, int from, String json) {
    UnaryOperator<String> upcast = upcasters.get(new Step(type.name(), from));
    if (upcast == null) {
      throw new IllegalStateException("there is none");
    }
    return java.util.Objects.requireNonNull(upcast.apply(json), "it has returned null");
  }
}
