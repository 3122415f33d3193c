package dev.holdfast.postgres;

import static dev.holdfast.postgres.PostgresChannels.SYSTEM;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;

/** The beginning of a channel's new era, within one transaction. */
record NewEra(Database database, Connection connection, String channel) {

  /**
   * @return the era, or empty when there is no such channel
   */
  Optional<Integer> begin(boolean fromBeginning) throws SQLException {
    fence();
    if (fromBeginning) {
      goBackToTheBeginning();
    }
    adoptMessages();
    Optional<Integer> era =
        database.one(
            connection,
            "update ${schema}.progress set era = era + 1, record = null, system = "
                + SYSTEM
                + " where channel = ? returning era",
            row -> row.getInt(1),
            channel);
    database.update(
        connection,
        "update ${schema}.channel set state = 'RUNNING', reason = null where name = ?",
        channel);
    return era;
  }

  /**
   * Fences whoever leads now, who would copy the old progress over the new era's. First, in the
   * order in which a leader locks: the lease, then what it writes.
   */
  private void fence() throws SQLException {
    database.update(
        connection,
        """
        update ${schema}.lease
        set owner = null, epoch = epoch + 1, expires_at = ${schema}.now()
        where name = 'channel/' || ?
        """,
        channel);
  }

  private void goBackToTheBeginning() throws SQLException {
    database.update(
        connection,
        """
        update ${schema}.progress
        set from_snapshot = '3:3:', to_snapshot = null, position = 0, replayed = 0
        where channel = ?
        """,
        channel);
  }

  /**
   * Rows from a dump may carry transaction ids that this cluster has yet to come to: they would be
   * in every window until then, and never forgotten. The one time that a message's row is updated.
   */
  private void adoptMessages() throws SQLException {
    for (int segment = 0; segment < 3; segment++) {
      database.update(
          connection,
          "update ${schema}.message_"
              + segment
              + " set xid = pg_current_xact_id()"
              + " where xid >= pg_snapshot_xmax(pg_current_snapshot())");
    }
  }
}
