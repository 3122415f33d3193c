package dev.holdfast.postgres;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Message;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.Upkeep;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Rotation of the rings, delayed messages, and reservations.
 *
 * <p>A segment is emptied under its exclusive lock, taken with NOWAIT, since a waiting lock would
 * stop every writer behind it; whether it may be emptied is decided by a statement that begins
 * after the lock is held. A writer that chose the segment before waits, and writes into it empty:
 * readers always read all segments.
 */
final class PostgresUpkeep implements Upkeep {
  private static final Duration SHORTEST_TURN = Duration.ofSeconds(1);
  private static final long FULL_BYTES = 1L << 30;

  /** Whether anything in the segment is not passed by every channel, or within its retention. */
  private static final String IN_USE =
      """
      select exists (
               select from ${schema}.%1$s
               where xid >= (select pg_snapshot_xmin(from_snapshot) as xmin
                             from ${schema}.progress order by 1 limit 1))
          or not exists (select from ${schema}.progress)
          or (select recorded_at from ${schema}.%1$s order by position desc limit 1)
             > ${schema}.now() - (select retention_ms * interval '1 ms' from ${schema}.store)
      """;

  /** By the two partial indexes of reservations; most of the time there is nothing. */
  private static final String TO_BE_TENDED =
      """
      select exists (select from ${schema}.stock_change)
          or exists (select from ${schema}.reservation
                     where state = 'HELD' and expires_at <= ${schema}.now())
          or exists (select from ${schema}.reservation
                     where state <> 'HELD' and resolved_at < k.before)
          or exists (select from ${schema}.semantic_lock where expires_at < k.before)
      from (select ${schema}.now() - retention_ms * interval '1 ms' as before
            from ${schema}.reservation_settings) k
      """;

  private final Database database;
  private final Segments segments;
  private final InboxRing inbox;
  private final PostgresReservations reservations;

  PostgresUpkeep(Database database) {
    this.database = database;
    this.segments = new Segments(database);
    this.inbox = new InboxRing(database, segments);
    this.reservations = new PostgresReservations(database);
  }

  @Override
  public void configure(Settings settings) {
    check("retention", settings.retention(), Duration.ZERO);
    check("dedupeWindow", settings.dedupeWindow(), Duration.ofSeconds(1));
    Integer payload = settings.maxPayloadBytes();
    if (payload != null && (payload < 1 || payload > Message.MAX_PAYLOAD_BYTES)) {
      throw new InvalidConfiguration(
          "maxPayloadBytes is %d, and must be 1 to %d. Nothing was changed."
              .formatted(payload, Message.MAX_PAYLOAD_BYTES));
    }
    database.transact(
        "configure the store",
        connection ->
            database.update(
                connection,
                """
                update ${schema}.store
                set retention_ms = coalesce(?::bigint, retention_ms),
                    dedupe_window_ms = coalesce(?::bigint, dedupe_window_ms),
                    max_payload_bytes = coalesce(?::integer, max_payload_bytes)
                """,
                millis(settings.retention()),
                millis(settings.dedupeWindow()),
                payload));
  }

  private static void check(String name, @Nullable Duration value, Duration least) {
    if (value != null
        && (value.compareTo(least) < 0 || value.compareTo(Duration.ofDays(365)) > 0)) {
      throw new InvalidConfiguration(
          "%s is %s, and must be %s to a year. Nothing was changed.".formatted(name, value, least));
    }
  }

  private static @Nullable Long millis(@Nullable Duration value) {
    return value == null ? null : value.toMillis();
  }

  @Override
  public int moveDue(Lease lease, int limit) {
    return database.transact(
        "move delayed messages",
        connection ->
            database.owns(connection, lease)
                ? database
                    .one(connection, "select ${schema}.move_due(?)", row -> row.getInt(1), limit)
                    .orElse(0)
                : 0);
  }

  @Override
  public @Nullable Duration untilNextDue() {
    return database
        .<Optional<Duration>>transact(
            "look for delayed messages",
            connection ->
                database.one(
                    connection,
                    """
                    select greatest(1, date_part('epoch', due_at - ${schema}.now()) * 1000)::bigint
                    from ${schema}.delayed order by due_at limit 1
                    """,
                    row -> Duration.ofMillis(row.getLong(1))))
        .orElse(null);
  }

  @Override
  public int rotate(Lease lease) {
    int emptied = 0;
    Ring messages = ring("message");
    for (int segment = 0; segment < 3; segment++) {
      if (segment != messages.current()) {
        emptied += emptyMessages(lease, "message_" + segment) ? 1 : 0;
      }
    }
    turnMessages(lease, messages);
    turnDedupe(lease);
    turnAttempts(lease);
    forgetClosedRoutes(lease);
    inbox.turn(lease);
    return emptied;
  }

  @Override
  public boolean tendReservations(Lease lease, int limit) {
    if (!database.transact(
        "look at reservations", connection -> segments.ask(connection, TO_BE_TENDED))) {
      return false;
    }
    // A transaction each: the stripes that are folded into are locked, and not for long.
    boolean more = tend("expire reservations", lease, limit, reservations::expire);
    more |= tend("fold what was given back", lease, limit, reservations::fold);
    more |= tend("forget reservations", lease, limit, reservations::forget);
    return more;
  }

  /** A batch of work, and how much of it there was. */
  @FunctionalInterface
  private interface Batch {
    int run(Connection connection, int limit) throws SQLException;
  }

  private boolean tend(String doing, Lease lease, int limit, Batch batch) {
    return database.transact(
        doing,
        connection -> database.owns(connection, lease) && batch.run(connection, limit) >= limit);
  }

  /** A ring's row, with what its turning depends on. */
  private record Ring(int current, Duration age, Duration retention, Duration window, long hours) {
    int next() {
      return (current + 1) % 3;
    }
  }

  private Ring ring(String name) {
    return database.transact(
        "read ring " + name,
        connection ->
            database
                .one(
                    connection,
                    """
                    select r.current, s.retention_ms, s.dedupe_window_ms,
                           (date_part('epoch', ${schema}.now() - r.rotated_at) * 1000)::bigint,
                           date_part('epoch', ${schema}.now())::bigint
                    from ${schema}.ring r, ${schema}.store s where r.name = ?
                    """,
                    row ->
                        new Ring(
                            row.getInt(1),
                            Duration.ofMillis(row.getLong(4)),
                            Duration.ofMillis(row.getLong(2)),
                            Duration.ofMillis(row.getLong(3)),
                            row.getLong(5) / PostgresWriter.ATTEMPT_PERIOD.toSeconds()),
                    name)
                .orElseThrow());
  }

  private boolean emptyMessages(Lease lease, String table) {
    // A look without locks first: most of the time there is nothing to do.
    boolean candidate =
        database.transact(
            "look at " + table,
            connection ->
                segments.isUsed(connection, table)
                    && !segments.ask(connection, IN_USE.formatted(table)));
    return candidate
        && segments.emptyIf(
            lease,
            List.of(),
            table,
            connection -> !segments.ask(connection, IN_USE.formatted(table)));
  }

  private void turnMessages(Lease lease, Ring ring) {
    Duration turn = ring.retention().dividedBy(2);
    boolean due =
        ring.age().compareTo(turn.compareTo(SHORTEST_TURN) < 0 ? SHORTEST_TURN : turn) > 0;
    database.fenced(
        "turn ring message",
        lease,
        connection -> {
          boolean full =
              segments.ask(
                  connection,
                  "select pg_table_size('${schema}.message_"
                      + ring.current()
                      + "') > "
                      + FULL_BYTES);
          if ((due || full)
              && segments.isUsed(connection, "message_" + ring.current())
              && !segments.isUsed(connection, "message_" + ring.next())) {
            setCurrent(connection, "message", ring.next());
          }
        });
  }

  private void setCurrent(Connection connection, String ring, int segment) throws SQLException {
    database.update(
        connection,
        "update ${schema}.ring set current = ?, rotated_at = ${schema}.now() where name = ?",
        segment,
        ring);
  }

  private void turnDedupe(Lease lease) {
    Ring ring = ring("dedupe");
    if (ring.age().compareTo(ring.window()) > 0) {
      turnOnto(lease, "dedupe", ring.next(), ring.next());
    }
  }

  /** The segment of attempts follows from the clock alone; the one after it is emptied in time. */
  private void turnAttempts(Lease lease) {
    int now = (int) Math.floorMod(ring("attempt").hours(), 3L);
    if (now != ring("attempt").current()) {
      turnOnto(lease, "attempt", now, (now + 1) % 3);
    }
  }

  private void turnOnto(Lease lease, String ring, int current, int emptied) {
    segments.emptyIf(
        lease,
        // The ring's row first, and without waiting, too: publishers under REPEATABLE READ hold it
        // and then come to the segments.
        List.of(
            "select 1 from ${schema}.ring where name = '" + ring + "' for no key update nowait"),
        ring + "_" + emptied,
        connection -> {
          setCurrent(connection, ring, current);
          return true;
        });
  }

  /** A route that is being closed. */
  private record Closed(String channel, String pattern, String closing) {}

  /**
   * A route that is being closed goes when every message accepted under it has been passed. Who saw
   * it open drew a transaction id before the closing was committed: that is, before the id of a
   * transaction of ours that began when the closing had been seen. Hence the look that comes first,
   * in a transaction of its own.
   */
  private void forgetClosedRoutes(Lease lease) {
    List<Closed> closed =
        database.transact(
            "look for closed routes",
            connection ->
                database.many(
                    connection,
                    """
                    select channel, pattern, closing::text from ${schema}.route
                    where closing is not null
                    """,
                    row -> new Closed(row.getString(1), row.getString(2), row.getString(3))));
    if (closed.isEmpty()) {
      return;
    }
    database.fenced(
        "forget closed routes",
        lease,
        connection -> {
          for (Closed route : closed) {
            database.update(
                connection,
                """
                update ${schema}.route set horizon = pg_current_xact_id()
                where (channel, pattern) in (
                  select r.channel, r.pattern from ${schema}.route r
                  where r.channel = ? and r.pattern = ? and r.closing = ?::text::xid8
                    and r.horizon is null
                  -- A publisher under REPEATABLE READ may hold it: the next time.
                  for no key update skip locked)
                """,
                route.channel(),
                route.pattern(),
                route.closing());
          }
          database.update(
              connection,
              """
              delete from ${schema}.route gone
              where (gone.channel, gone.pattern) in (
                select r.channel, r.pattern
                from ${schema}.route r join ${schema}.progress p on p.channel = r.channel
                where r.horizon <= pg_snapshot_xmin(p.from_snapshot)
                  and not exists (
                    select from ${schema}.delayed d where d.topic like r.like_pattern)
                for update of r skip locked)
              """);
        });
  }
}
