package dev.holdfast.postgres;

import dev.holdfast.outbox.store.Lease;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** Turns the inbox's ring, by which ids are forgotten a segment at a time: see decision 7. */
final class InboxRing {
  private final Database database;
  private final Segments segments;

  InboxRing(Database database, Segments segments) {
    this.database = database;
    this.segments = segments;
  }

  /**
   * Where it is.
   *
   * @param announced what those with an older snapshot take for the turn
   * @param settled whether the last turn is; not by a transaction id of another cluster
   * @param behind whether everybody who may still write to the segment before is done
   * @param closed whether that has been written down
   * @param due whether what is in the segment before may be forgotten
   */
  private record State(
      int current,
      long turn,
      long announced,
      boolean settled,
      boolean behind,
      boolean closed,
      boolean due) {
    int next() {
      return (current + 1) % 3;
    }

    String nextTable() {
      return "inbox_" + next();
    }
  }

  /** Takes the next step, if there is one to be taken. */
  void turn(Lease lease) {
    State ring =
        database.transact(
            "read ring inbox",
            connection ->
                database
                    .one(
                        connection,
                        """
                        select r.current, r.turn, t.last_value,
                               coalesce(r.settled < pg_snapshot_xmax(s), false),
                               coalesce(r.settled < pg_snapshot_xmin(s), false),
                               r.closed_at is not null,
                               coalesce(${schema}.now() - r.closed_at
                                 > (select max(c.retention_ms) from ${schema}.inbox_consumer c)
                                   * interval '1 ms', false)
                        from ${schema}.inbox_ring r, ${schema}.inbox_turn t,
                             pg_current_snapshot() s
                        """,
                        row ->
                            new State(
                                row.getInt(1),
                                row.getLong(2),
                                row.getLong(3),
                                row.getBoolean(4),
                                row.getBoolean(5),
                                row.getBoolean(6),
                                row.getBoolean(7)))
                    .orElseThrow());
    if (ring.turn() != ring.announced()) {
      // A turn that was announced and not committed.
      database.fenced(
          "announce the turn of the inbox", lease, connection -> announce(connection, ring.turn()));
    }
    if (!ring.settled()) {
      // A transaction of its own, since it must begin when the turn has been seen.
      update(
          lease,
          """
          settled = pg_current_xact_id(), closed_at = null
          where settled is null or settled >= pg_snapshot_xmax(pg_current_snapshot())
          """);
    } else if (ring.behind() && !ring.closed()) {
      update(lease, "closed_at = ${schema}.now() where closed_at is null");
    } else if (ring.closed()) {
      // Nobody looks at the next one, or writes to it, who has seen this turn.
      boolean free =
          !database.transact(
                  "look at the inbox", connection -> segments.isUsed(connection, ring.nextTable()))
              || segments.emptyIf(
                  lease,
                  List.of(),
                  List.of(ring.nextTable(), "inbox_reply_" + ring.next()),
                  connection -> true);
      if (free && ring.due()) {
        turn(lease, ring);
      }
    }
  }

  /**
   * Announced first: whoever has an older snapshot must not believe in it when this is committed.
   */
  private void turn(Lease lease, State ring) {
    database.fenced(
        "turn ring inbox",
        lease,
        connection -> {
          announce(connection, ring.turn() + 1);
          database.update(
              connection,
              """
              update ${schema}.inbox_ring
              set current = ?, turn = turn + 1, settled = null, closed_at = null
              where turn = ?
              """,
              ring.next(),
              ring.turn());
        });
  }

  private void announce(Connection connection, long turn) throws SQLException {
    database.call(connection, "select setval('${schema}.inbox_turn', ?)", turn);
  }

  private void update(Lease lease, String change, Object... parameters) {
    database.fenced(
        "turn ring inbox",
        lease,
        connection ->
            database.update(connection, "update ${schema}.inbox_ring set " + change, parameters));
  }
}
