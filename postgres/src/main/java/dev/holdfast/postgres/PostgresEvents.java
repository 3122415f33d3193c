package dev.holdfast.postgres;

import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Appended;
import dev.holdfast.eventlog.Condition;
import dev.holdfast.eventlog.EventQuery;
import dev.holdfast.eventlog.Holder;
import dev.holdfast.eventlog.Imported;
import dev.holdfast.eventlog.ImportedEvent;
import dev.holdfast.eventlog.InvalidEvent;
import dev.holdfast.eventlog.Matching;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.StreamQuery;
import dev.holdfast.eventlog.store.EventStore;
import dev.holdfast.eventlog.store.Head;
import dev.holdfast.eventlog.store.LoneAppend;
import dev.holdfast.eventlog.store.Mark;
import dev.holdfast.eventlog.store.Reading;
import dev.holdfast.eventlog.store.Settling;
import dev.holdfast.eventlog.store.StoredSnapshot;
import dev.holdfast.internal.Doorbell;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The event log, in the tables of the migration {@code eventlog}; see decision 13.
 *
 * <p>A mark, the fence and the reading share one transaction, READ COMMITTED, and so one session: a
 * crash of the server between them shows as an error, after which the reader believes its
 * checkpoint alone. The reading is a statement that begins after the lock's holders were looked at,
 * and sees whoever was gone by then, since a lock is released after its transaction's rows are
 * visible.
 */
final class PostgresEvents implements EventStore {
  private static final int RETRIES = 5;
  private static final int LOOKS = 3;
  private static final Duration BETWEEN_LOOKS = Duration.ofMillis(1);

  private static final String MARK =
      "select o_last, o_holders, o_lsn, o_flushed from ${schema}.event_mark(?)";

  private static final String SETTLED =
      "select "
          + EventRow.COLUMNS
          + " from ${schema}.event_all e where e.position > ? and e.position <= ? order by e.position limit ?";

  private static final String STREAM =
      "select "
          + EventRow.COLUMNS
          + """
           from ${schema}.event_all e
          where e.stream = ? and e.version >= ? and e.version <= ?
            and e.recorded_at <= coalesce(?::timestamptz, 'infinity')
          order by e.version %s limit ?
          """;

  private static final String FORWARDS = STREAM.formatted("asc");
  private static final String BACKWARDS = STREAM.formatted("desc");

  private static final String MATCHING =
      "select "
          + EventRow.COLUMNS
          + """
           from ${schema}.matching_events(?, ?, ?, ?, 0) as m cross join lateral (
            select x.* from ${schema}.event_all x where x.position = m offset 0) as e
          order by e.position limit ?
          """;

  private final Database database;

  PostgresEvents(Database database) {
    this.database = database;
  }

  @Override
  public Appended append(Connection connection, Append append, String operationId)
      throws SQLException {
    PostgresReservations.requireTransaction(connection, "append events");
    return new EventAppend(append).run(database, connection, operationId);
  }

  @Override
  public Appended append(Append append, String operationId) {
    EventAppend prepared = new EventAppend(append);
    for (int attempt = 1; ; attempt++) {
      try (Connection connection = database.dataSource().getConnection()) {
        connection.setAutoCommit(true);
        return prepared.run(database, connection, operationId);
      } catch (SQLException e) {
        if (!SqlErrors.isRetryable(e) || attempt == RETRIES) {
          throw SqlErrors.translate("append events", e);
        }
      }
    }
  }

  @Override
  public void appendTogether(List<LoneAppend> appends) {
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(true);
      EventAppend.runTogether(database, connection, appends);
    } catch (SQLException e) {
      throw SqlErrors.translate("append events", e);
    }
  }

  @Override
  public Optional<StoredSnapshot> snapshot(
      Connection connection, String decider, int stateVersion, String stream, @Nullable UUID unless)
      throws SQLException {
    return database.one(
        connection,
        """
        select s.version, s.event_id, s.state from ${schema}.event_snapshot s
        where s.decider = ? and s.stream = ? and s.state_version = ?
          and not exists (select from ${schema}.event_all e where e.event_id = ?)
        """,
        row ->
            new StoredSnapshot(
                decider,
                stream,
                stateVersion,
                row.getLong(1),
                row.getObject(2, UUID.class),
                row.getString(3)),
        decider,
        stream,
        stateVersion,
        unless);
  }

  @Override
  public void keep(Connection connection, StoredSnapshot snapshot) throws SQLException {
    database.one(
        connection,
        "select ${schema}.keep_snapshot(?, ?, ?, ?, ?, ?)",
        row -> true,
        snapshot.decider(),
        snapshot.stream(),
        snapshot.stateVersion(),
        snapshot.version(),
        snapshot.eventId(),
        snapshot.state());
  }

  @Override
  public Imported load(List<ImportedEvent> batch) {
    return database.transact(
        "import events", connection -> new EventImport(database, connection).load(batch));
  }

  @Override
  public int archive(String stream, long through, int limit) {
    return database.transact(
        "archive events",
        connection ->
            database
                .one(
                    connection,
                    "select ${schema}.archive_events(?, ?, ?)",
                    row -> row.getInt(1),
                    stream,
                    through,
                    limit)
                .orElseThrow());
  }

  @Override
  public List<RecordedEvent> read(Connection connection, StreamQuery query) throws SQLException {
    PostgresReservations.requireTransaction(connection, "read a stream");
    return stream(connection, query);
  }

  @Override
  public List<RecordedEvent> read(StreamQuery query) {
    return database.transact("read a stream", connection -> stream(connection, query));
  }

  private List<RecordedEvent> stream(Connection connection, StreamQuery query) throws SQLException {
    Long to = query.to();
    return database.many(
        connection,
        query.backwards() ? BACKWARDS : FORWARDS,
        EventRow::read,
        query.stream(),
        query.from(),
        to == null ? Long.MAX_VALUE : to,
        query.asOf() == null ? null : Timestamp.from(query.asOf()),
        query.limit());
  }

  @Override
  public List<RecordedEvent> readSettled(Reading reading, int limit) {
    boolean done = false;
    try {
      List<RecordedEvent> events =
          database.transact(
              "read the event log", connection -> settled(connection, reading, limit));
      done = true;
      if (!events.isEmpty()) {
        reading.read(events.get(events.size() - 1).position());
      }
      if (events.size() < limit) {
        reading.readAll();
      }
      return events;
    } finally {
      if (!done) {
        reading.forget();
      }
    }
  }

  /** Empty only behind a look: what was settled may hold burnt positions alone. */
  private List<RecordedEvent> settled(Connection connection, Reading reading, int limit)
      throws SQLException {
    if (!reading.isEven()) {
      List<RecordedEvent> events = page(connection, reading, limit);
      if (!events.isEmpty()) {
        return events;
      }
      reading.readAll();
    }
    Look look = look(connection, reading.settled());
    if (reading.look(look.mark())) {
      look.fence(database, connection);
    }
    return reading.isEven() ? List.of() : page(connection, reading, limit);
  }

  private List<RecordedEvent> page(Connection connection, Reading reading, int limit)
      throws SQLException {
    return database.many(
        connection, SETTLED, EventRow::read, reading.after(), reading.settled(), limit);
  }

  /** A mark, and how far the log was written behind it. */
  private record Look(Mark mark, @Nullable String lsn, boolean flushed) {
    void fence(Database database, Connection connection) throws SQLException {
      if (!flushed && lsn != null) {
        FlushFence.upTo(database, connection, lsn);
      }
    }
  }

  private Look look(Connection connection, long settled) throws SQLException {
    return database.one(connection, MARK, PostgresEvents::look, settled).orElseThrow();
  }

  private static Look look(ResultSet row) throws SQLException {
    Set<String> sessions = new HashSet<>();
    Set<String> prepared = new HashSet<>();
    for (String holder : (String[]) row.getArray(2).getArray()) {
      (holder.startsWith("-1/") ? prepared : sessions).add(holder);
    }
    return new Look(
        new Mark(row.getLong(1), sessions, prepared), row.getString(3), row.getBoolean(4));
  }

  /**
   * The higher the settled position that can be had, the less has to be remembered beside it; so a
   * few looks are worth their while, and nobody is waited for.
   */
  @Override
  public Matching read(EventQuery query, int limit) {
    return database.transact(
        "read what a decision rests on",
        connection -> {
          Settling settling = settle(connection);
          List<RecordedEvent> events = matching(connection, query, limit);
          FlushFence.upToNow(database, connection);
          long since = settling.settled();
          List<Long> seen =
              events.stream().map(RecordedEvent::position).filter(p -> p > since).toList();
          return new Matching(events, new Condition(query, since, seen));
        });
  }

  private Settling settle(Connection connection) throws SQLException {
    Settling settling = new Settling(0);
    for (int i = 0; i < LOOKS && settling.settled() == 0; i++) {
      if (i > 0) {
        pause();
      }
      settling.look(look(connection, -1).mark());
    }
    return settling;
  }

  private List<RecordedEvent> matching(Connection connection, EventQuery query, int limit)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(database.schema().in(MATCHING))) {
      new EventAppend.EventMatch(query).bind(connection, statement, 1);
      statement.setInt(5, limit + 1);
      try (ResultSet rows = statement.executeQuery()) {
        List<RecordedEvent> events = new ArrayList<>();
        while (rows.next()) {
          events.add(EventRow.read(rows));
        }
        if (events.size() > limit) {
          throw new InvalidEvent(
              "More than %d events match the query, which is the bound of what a decision may rest on. Nothing was decided. Ask for fewer types, or for tags that fewer events have."
                  .formatted(limit));
        }
        return events;
      }
    }
  }

  /** An interrupt is left to whoever waits next: only one look is lost. */
  private static void pause() {
    try {
      new Doorbell().await(BETWEEN_LOOKS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public Head head() {
    return database.transact(
        "see how far the event log is",
        connection -> {
          long settled = settle(connection).settled();
          long drawn = look(connection, -1).mark().last();
          return database
              .one(
                  connection,
                  """
                  select position, recorded_at from ${schema}.event order by position desc limit 1
                  """,
                  row -> new Head(drawn, row.getLong(1), row.getTimestamp(2).toInstant(), settled))
              .orElse(new Head(drawn, 0, null, settled));
        });
  }

  @Override
  public List<Holder> holders() {
    return database.transact(
        "see who holds the event log's mark",
        connection ->
            database.many(
                connection,
                """
                select pid, application, "user", since, gid from ${schema}.event_holder
                order by since nulls last limit 100
                """,
                PostgresEvents::holder));
  }

  private static Holder holder(ResultSet row) throws SQLException {
    Timestamp since = row.getTimestamp(4);
    return new Holder(
        row.getObject(1, Integer.class),
        row.getString(2),
        row.getString(3),
        since == null ? null : since.toInstant(),
        row.getString(5));
  }
}
