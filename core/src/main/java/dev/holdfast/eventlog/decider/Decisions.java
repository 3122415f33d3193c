package dev.holdfast.eventlog.decider;

import dev.holdfast.Holdfast;
import dev.holdfast.Transaction;
import dev.holdfast.UnreadableData;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Appended;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventIdReused;
import dev.holdfast.eventlog.EventLog;
import dev.holdfast.eventlog.EventTypes;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.StreamQuery;
import dev.holdfast.eventlog.WrongExpectedVersion;
import dev.holdfast.eventlog.store.StoredSnapshot;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries commands out on streams of the event log. Thread-safe.
 *
 * @param <C> commands
 * @param <E> events
 * @param <S> the state
 */
public final class Decisions<C, E, S> {
  /** Somebody else has come first so often: others are in the way for good. */
  private static final int ATTEMPTS = 20;

  private static final int PAGE = 10_000;

  private static final Logger logger = LoggerFactory.getLogger(Decisions.class);

  private final Holdfast holdfast;
  private final EventLog log;
  private final Decider<C, E, S> decider;
  private final EventTypes<E> types;
  private final @Nullable Snapshots<S> snapshots;

  /**
   * @param holdfast on the database that has the log
   */
  public Decisions(Holdfast holdfast, Decider<C, E, S> decider, EventTypes<E> types) {
    this(holdfast, decider, types, null);
  }

  private Decisions(
      Holdfast holdfast,
      Decider<C, E, S> decider,
      EventTypes<E> types,
      @Nullable Snapshots<S> snapshots) {
    this.holdfast = holdfast;
    this.log = holdfast.eventLog();
    this.decider = decider;
    this.types = types;
    this.snapshots = snapshots;
  }

  /**
   * The same, for long streams: states are kept, under the decider's name, and a stream is read
   * from the one that is kept on. A command costs one statement more then, and one more whenever a
   * state is kept.
   */
  public Decisions<C, E, S> keeping(Snapshots<S> value) {
    return new Decisions<>(holdfast, decider, types, value);
  }

  /**
   * A stream's state.
   *
   * @param version of the last event that led to it; 0 for none
   */
  public record At<S>(S state, long version) {}

  /**
   * What a command has come to.
   *
   * @param events those that were appended, or had been by the same command before
   * @param state the state that is known then
   * @param position of the last event of the stream that is known; what a projection has to have
   *     read to show it; 0 when there is none
   */
  public record Decided<E, S>(List<E> events, S state, long version, long position) {
    public Decided {
      events = List.copyOf(events);
    }
  }

  /**
   * Carries a command out in a transaction of its own: reads the stream, decides, and appends
   * behind what was read. Decided anew when somebody else has appended meanwhile, up to 20 times.
   *
   * @param commandId names the command: one that has been carried out under it before is not
   *     carried out again, and its events are returned. When the reply is lost, ask again under the
   *     same
   * @throws WrongExpectedVersion when others came first 20 times
   * @throws RuntimeException what the decision has thrown; nothing was appended
   */
  public Decided<E, S> handle(String stream, UUID commandId, C command) {
    for (int attempt = 1; ; attempt++) {
      try {
        return holdfast.transactReturning(tx -> handle(tx, stream, commandId, command));
      } catch (WrongExpectedVersion e) {
        if (attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /**
   * Carries a command out in the caller's transaction, with whatever else is in it.
   *
   * @throws WrongExpectedVersion when somebody else has appended since the stream was read; the
   *     transaction can go on, and is better run again
   */
  public Decided<E, S> handle(Transaction tx, String stream, UUID commandId, C command)
      throws SQLException {
    Folded<S> now = fold(tx, stream, commandId);
    if (!now.mine().isEmpty()) {
      return decidedBefore(now);
    }
    List<E> events = decider.decide(now.state(), command);
    if (events.isEmpty()) {
      return new Decided<>(events, now.state(), now.version(), now.position());
    }
    List<EventData> data = new ArrayList<>();
    for (int i = 0; i < events.size(); i++) {
      data.add(
          types
              .write(idOf(commandId, i), events.get(i))
              .withMetadata(Append.CAUSATION, commandId.toString()));
    }
    Appended appended;
    try {
      appended = log.append(tx, Append.to(stream, ExpectedVersion.exactly(now.version()), data));
    } catch (EventIdReused e) {
      // The same command, decided on another state between our reading and our append.
      Folded<S> then = fold(tx, stream, commandId);
      if (then.mine().isEmpty()) {
        throw e;
      }
      return decidedBefore(then);
    }
    if (appended.repeated()) {
      // The same command, and perhaps others before it, whose events are not in the state we know.
      return decidedBefore(fold(tx, stream, commandId));
    }
    S state = decider.evolve(now.state(), events);
    long version = appended.version(stream);
    if (snapshots != null && version - now.keptAt() >= snapshots.every()) {
      keep(tx, snapshots, new Kept<>(state, version, data.get(data.size() - 1).id()), stream);
    }
    return new Decided<>(events, state, version, appended.position());
  }

  private Decided<E, S> decidedBefore(Folded<S> now) {
    return new Decided<>(
        now.mine().stream().map(types::read).toList(), now.state(), now.version(), now.position());
  }

  /** A stream's state, as it is committed. */
  public At<S> state(String stream) {
    Folded<S> now = holdfast.transactReturning(tx -> fold(tx, stream, null));
    return new At<>(now.state(), now.version());
  }

  /** A stream's state in a transaction, with what that has appended itself. */
  public At<S> state(Transaction tx, String stream) throws SQLException {
    Folded<S> now = fold(tx, stream, null);
    return new At<>(now.state(), now.version());
  }

  /**
   * What a stream has led to.
   *
   * @param keptAt the version of the snapshot from which it was read; 0 for none
   * @param mine the events of a command that was carried out before
   */
  private record Folded<S>(
      S state, long version, long position, long keptAt, List<RecordedEvent> mine) {}

  /** A state, and the last event that is in it. */
  private record Kept<S>(S state, long version, UUID eventId) {}

  private Folded<S> fold(Transaction tx, String stream, @Nullable UUID commandId)
      throws SQLException {
    Kept<S> kept = snapshots == null ? null : kept(tx, snapshots, stream, commandId);
    Folded<S> folded = kept == null ? null : fold(tx, stream, commandId, kept);
    return folded != null
        ? folded
        : Objects.requireNonNull(fold(tx, stream, commandId, (Kept<S>) null));
  }

  /** Null where the stream does not have the event that a snapshot ends with. */
  private @Nullable Folded<S> fold(
      Transaction tx, String stream, @Nullable UUID commandId, @Nullable Kept<S> kept)
      throws SQLException {
    S state = kept == null ? decider.initial() : kept.state();
    long keptAt = kept == null ? 0 : kept.version();
    long version = Math.max(0, keptAt - 1);
    long position = 0;
    List<RecordedEvent> mine = new ArrayList<>();
    List<RecordedEvent> page;
    do {
      page = log.read(tx, StreamQuery.of(stream).from(version + 1).limit(PAGE));
      if (kept != null
          && position == 0
          && (page.isEmpty()
              || page.get(0).version() != keptAt
              || !page.get(0).id().equals(kept.eventId()))) {
        return null;
      }
      for (RecordedEvent event : page) {
        if (event.version() != version + 1) {
          throw new UnreadableData(
              "The stream %s has no version %d, and has version %d: it was changed by hand. Nothing was appended."
                  .formatted(stream, version + 1, event.version()));
        }
        if (commandId != null && event.id().equals(idOf(commandId, mine.size()))) {
          mine.add(event);
        }
        if (event.version() > keptAt) {
          state = decider.evolve(state, types.read(event));
        }
        version = event.version();
        position = event.position();
      }
    } while (page.size() == PAGE);
    return new Folded<>(state, version, position, keptAt, mine);
  }

  /** Not where the command was carried out before: its events are to be found then. */
  private @Nullable Kept<S> kept(
      Transaction tx, Snapshots<S> snapshots, String stream, @Nullable UUID commandId)
      throws SQLException {
    StoredSnapshot stored =
        holdfast
            .store()
            .events()
            .snapshot(
                tx.connection(),
                decider.name(),
                snapshots.stateVersion(),
                stream,
                commandId == null ? null : idOf(commandId, 0))
            .orElse(null);
    if (stored == null) {
      return null;
    }
    try {
      return new Kept<>(
          snapshots.codec().read(stored.state(), snapshots.type()),
          stored.version(),
          stored.eventId());
    } catch (RuntimeException e) {
      log(stream, "cannot be read, so all of it is read", e);
      return null;
    }
  }

  private void keep(Transaction tx, Snapshots<S> snapshots, Kept<S> kept, String stream)
      throws SQLException {
    String json;
    try {
      json = snapshots.codec().write(kept.state());
    } catch (RuntimeException e) {
      log(stream, "cannot be written, so none is kept", e);
      return;
    }
    holdfast
        .store()
        .events()
        .keep(
            tx.connection(),
            new StoredSnapshot(
                decider.name(),
                stream,
                snapshots.stateVersion(),
                kept.version(),
                kept.eventId(),
                json));
  }

  private void log(String stream, String what, RuntimeException cause) {
    logger.warn("{}: a snapshot of the stream {} {}", decider, stream, what, cause);
  }

  /** So that a command that is carried out again appends the same events. */
  private static UUID idOf(UUID commandId, int number) {
    return UUID.nameUUIDFromBytes((commandId + "/" + number).getBytes(StandardCharsets.UTF_8));
  }
}
