package dev.holdfast.projection;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Transaction;
import dev.holdfast.eventlog.EventTypes;
import dev.holdfast.eventlog.RecordedEvent;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What events lead to, in one version: rows of a view, messages, workflows that are started, all by
 * the transaction in which the projection's checkpoint moves. So it happens once for each event, as
 * far as it is done by that transaction; what goes elsewhere goes by the outbox.
 *
 * <p>An event of a type that is neither handled nor ignored is parked with the later ones of its
 * key, and stops nobody else: a hole in a view should not go unseen. Immutable and thread-safe, as
 * the handlers have to be.
 */
public final class Projection {
  /** As many as a stream's name has. */
  private static final int KEY_AT_MOST = 200;

  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,99}");

  private final String name;
  private final int version;
  private final int slots;
  private final @Nullable String prefix;
  private final Function<RecordedEvent, String> key;
  private final Map<String, Handler> handlers;
  private final @Nullable Batch batch;
  private final List<EventTypes<?>> known;
  private final Set<String> ignored;
  private final boolean ignoresOthers;
  private final @Nullable Switch onSwitch;

  /** What an event leads to. */
  @FunctionalInterface
  public interface Handler {
    /**
     * @throws Exception to have it tried again, and then parked; the transaction is rolled back
     */
    void apply(Transaction tx, RecordedEvent event) throws Exception;
  }

  /** What an event of one class leads to. */
  @FunctionalInterface
  public interface Typed<T> {
    void apply(Transaction tx, T event, RecordedEvent recorded) throws Exception;
  }

  /** What several events lead to. */
  @FunctionalInterface
  public interface Batch {
    /**
     * @param events in their order, of whatever streams; 1 or more
     * @throws Exception to have each tried by itself
     */
    void apply(Transaction tx, List<RecordedEvent> events) throws Exception;
  }

  /** What makes a rebuilt version the one that is seen, such as the definition of a view. */
  @FunctionalInterface
  public interface Switch {
    void run(Transaction tx) throws Exception;
  }

  private Projection(Builder builder) {
    this.name = builder.name;
    this.version = builder.version;
    this.slots = builder.slots;
    this.prefix = builder.prefix;
    this.key = builder.key;
    this.handlers = Map.copyOf(builder.handlers);
    this.batch = builder.batch;
    this.known = List.copyOf(builder.known);
    this.ignored = Set.copyOf(builder.ignored);
    this.ignoresOthers = builder.ignoresOthers;
    this.onSwitch = builder.onSwitch;
  }

  /**
   * Begins to describe a projection.
   *
   * @param name 1 to 100 of {@code a-z 0-9 . _ -}; goes to the database, so keep it stable
   * @param version from 1. A later version is built from the log's beginning, beside the one that
   *     is live, and takes its place when it has come as far and has parked no key that that has
   *     not; so it writes to tables of its own
   */
  public static Builder named(String name, int version) {
    return new Builder(name, version);
  }

  /** Describes a projection. Not thread-safe. */
  public static final class Builder {
    private final String name;
    private final int version;
    private final Map<String, Handler> handlers = new HashMap<>();
    private final List<EventTypes<?>> known = new ArrayList<>();
    private final Set<String> ignored = new HashSet<>();
    private final Set<String> batched = new HashSet<>();
    private @Nullable Batch batch;
    private int slots = 1;
    private @Nullable String prefix;
    private Function<RecordedEvent, String> key = RecordedEvent::stream;
    private boolean ignoresOthers;
    private @Nullable Switch onSwitch;

    private Builder(String name, int version) {
      if (!NAME.matcher(name).matches() || version < 1) {
        throw new InvalidConfiguration(
            "A projection is named \"%s\", version %d: names have 1 to 100 of the characters a-z 0-9 . _ -, beginning with a letter or a digit, and versions are 1 or more. Nothing was built."
                .formatted(name, version));
      }
      this.name = name;
      this.version = version;
    }

    /**
     * Into how many parts it is divided, each of which one process is at; 1 to 64, default 1. Never
     * changed for a version. Each part reads the whole log, and applies what is its own.
     */
    public Builder slots(int value) {
      if (value < 1 || value > 64) {
        throw new InvalidConfiguration(
            "The projection %s has %d slots: 1 to 64 can be. Nothing was built."
                .formatted(name, value));
      }
      this.slots = value;
      return this;
    }

    /** Only events of streams whose names begin so; the others are passed over. */
    public Builder streams(String prefix) {
      this.prefix = prefix;
      return this;
    }

    /**
     * What has to be applied in order, and is parked together; the stream, unless set. Events of
     * one key go to one slot. Never changed for a version: an event whose key goes to another slot,
     * which has passed it, would be applied by none.
     *
     * @param value the same for an event at each time; throws for none, since nobody could tell
     *     whose slot it is, and all of them wait until it does not. One that is longer than 200
     *     characters, or has a NUL, is shortened to a part of it and a hash
     */
    public Builder key(Function<RecordedEvent, String> value) {
      this.key = value;
      return this;
    }

    /**
     * Handles events of a type.
     *
     * @throws InvalidConfiguration when it is handled already
     */
    public Builder on(String type, Handler handler) {
      if (handlers.put(type, handler) != null) {
        throw new InvalidConfiguration(
            "Events of type %s have two handlers in the projection %s. Nothing was built."
                .formatted(type, name));
      }
      return this;
    }

    /** Handles events of a class; other events of these types are ignored. */
    public <E, T extends E> Builder on(EventTypes<E> types, Class<T> type, Typed<T> handler) {
      if (!known.contains(types)) {
        known.add(types);
      }
      return on(
          types.nameOf(type),
          (tx, event) -> handler.apply(tx, type.cast(types.read(event)), event));
    }

    /**
     * Handles events of these types together, as many as are applied in one transaction: for a view
     * that is written by few statements. In place of {@code on}, and once.
     *
     * @throws InvalidConfiguration when some are handled together already
     */
    public Builder onBatch(Batch handler, String... types) {
      if (batch != null) {
        throw new InvalidConfiguration(
            "The projection %s has two handlers by onBatch(), and the second would get the events of both. Nothing was built. Give all types to one."
                .formatted(name));
      }
      this.batch = handler;
      for (String type : types) {
        on(type, (tx, event) -> handler.apply(tx, List.of(event)));
      }
      batched.addAll(List.of(types));
      return this;
    }

    /** Passes over events of these types. */
    public Builder ignore(String... types) {
      ignored.addAll(List.of(types));
      return this;
    }

    /** Passes over events of all types that are not handled, known or not. */
    public Builder ignoreOthers() {
      this.ignoresOthers = true;
      return this;
    }

    /**
     * What is done when this version becomes the live one, in the same transaction; also when it is
     * the first one of its name, which is live as soon as it is known.
     */
    public Builder onSwitch(Switch value) {
      this.onSwitch = value;
      return this;
    }

    /**
     * @throws InvalidConfiguration when nothing is handled, or some of it together and some not
     */
    public Projection build() {
      if (handlers.isEmpty()) {
        throw new InvalidConfiguration(
            "The projection %s handles no event. Nothing was built.".formatted(name));
      }
      if (batch != null && !batched.equals(handlers.keySet())) {
        throw new InvalidConfiguration(
            "The projection %s handles some events together, by onBatch(), and some one by one, and their order would be lost. Nothing was built. Choose one."
                .formatted(name));
      }
      return new Projection(this);
    }
  }

  public String name() {
    return name;
  }

  public int version() {
    return version;
  }

  public int slots() {
    return slots;
  }

  /**
   * Does what is to be done when it becomes the live one.
   *
   * @throws RuntimeException when that cannot be done
   */
  void switchTo(Transaction tx) throws SQLException {
    if (onSwitch == null) {
      return;
    }
    try {
      onSwitch.run(tx);
    } catch (RuntimeException | SQLException e) {
      throw e;
    } catch (Exception e) {
      throw new SwitchFailed(this, e);
    }
  }

  /** Whether it has to do with an event at all. */
  boolean concerns(RecordedEvent event) {
    if (prefix != null && !event.stream().startsWith(prefix)) {
      return false;
    }
    String type = event.type();
    return handlerOf(type) != null
        || !(ignoresOthers
            || ignored.contains(type)
            || known.stream().anyMatch(types -> types.knows(type)));
  }

  /** Also for what was recorded under a former name of what is handled. */
  private @Nullable Handler handlerOf(String type) {
    Handler handler = handlers.get(type);
    for (int i = 0; handler == null && i < known.size() && !ignored.contains(type); i++) {
      handler = handlers.get(known.get(i).today(type));
    }
    return handler;
  }

  /** One that is too long to be recorded, or is no text for a database, is shortened. */
  String keyOf(RecordedEvent event) {
    String whole = key.apply(event);
    if (whole.length() <= KEY_AT_MOST && whole.indexOf('\0') < 0) {
      return whole;
    }
    String start = whole.substring(0, Math.min(whole.length(), KEY_AT_MOST / 2)).replace('\0', ' ');
    return start + '#' + UUID.nameUUIDFromBytes(whole.getBytes(StandardCharsets.UTF_8));
  }

  /** The slot of a key; the same in every process and for ever. */
  int slotOf(String ofKey) {
    return Math.floorMod(ofKey.hashCode(), slots);
  }

  /**
   * Applies several, in their order.
   *
   * @throws Exception what a handler has thrown, or that there is none
   */
  void apply(Transaction tx, List<RecordedEvent> events) throws Exception {
    if (batch == null) {
      for (RecordedEvent event : events) {
        apply(tx, event);
      }
    } else if (!events.isEmpty()) {
      for (RecordedEvent event : events) {
        if (handlerOf(event.type()) == null) {
          throw new UnknownEventType(event.type());
        }
      }
      batch.apply(tx, events);
    }
  }

  /**
   * @throws Exception what the handler has thrown, or that there is none
   */
  void apply(Transaction tx, RecordedEvent event) throws Exception {
    Handler handler = handlerOf(event.type());
    if (handler == null) {
      throw new UnknownEventType(event.type());
    }
    handler.apply(tx, event);
  }

  @Override
  public String toString() {
    return name + "/" + version;
  }
}
