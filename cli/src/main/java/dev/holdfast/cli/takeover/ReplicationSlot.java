package dev.holdfast.cli.takeover;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.InvalidConfiguration;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import javax.sql.DataSource;

/**
 * The replication slot of a Debezium connector. What lies before its confirmed position is
 * acknowledged by Kafka; what lies after may be, and is repeated by the connector itself when it
 * starts again.
 */
final class ReplicationSlot {
  private static final String OBJECT_IN_USE = "55006";

  private static final String STATE =
      """
      select slot_type, database = current_database(), active, coalesce(plugin, ''),
             coalesce(wal_status, ''), coalesce(confirmed_flush_lsn::text, '0/0'),
             coalesce(confirmed_flush_lsn >= ?::pg_lsn, false),
             coalesce(greatest(?::pg_lsn - confirmed_flush_lsn, 0)::bigint, 0)
      from pg_replication_slots where slot_name = ?""";

  /**
   * Insert messages of the table, in the protocol of {@code pgoutput}: 'I', then the table's oid.
   */
  private static final String UNREAD =
      """
      select count(*)
      from pg_logical_slot_peek_binary_changes(
        ?, ?::pg_lsn, null, 'proto_version', '1', 'publication_names', ?) c
      where get_byte(c.data, 0) = 73
        and (get_byte(c.data, 1)::bigint << 24) + (get_byte(c.data, 2) << 16)
          + (get_byte(c.data, 3) << 8) + get_byte(c.data, 4) = ?::regclass::oid::bigint""";

  private final DataSource dataSource;
  private final String name;

  ReplicationSlot(DataSource dataSource, String name) {
    this.dataSource = dataSource;
    this.name = name;
  }

  /**
   * @param active whether somebody reads it
   * @param passed whether the position that was asked for is confirmed
   * @param behind bytes of log between the two
   */
  record State(boolean active, String plugin, String confirmed, boolean passed, long behind) {}

  /**
   * @param position a {@code pg_lsn}
   * @return empty when there is no such slot
   * @throws InvalidConfiguration when the slot cannot have read this database, or has lost its
   *     place
   */
  Optional<State> state(String position) {
    return ask(
        "look at the slot " + name,
        connection -> {
          try (PreparedStatement select = connection.prepareStatement(STATE)) {
            select.setString(1, position);
            select.setString(2, position);
            select.setString(3, name);
            try (ResultSet row = select.executeQuery()) {
              return row.next() ? Optional.of(read(row)) : Optional.empty();
            }
          }
        });
  }

  private State read(ResultSet row) throws SQLException {
    if (!row.getString(1).equals("logical") || !row.getBoolean(2)) {
      throw new InvalidConfiguration(
          "The slot %s does not decode this database, so nothing was done. Name the connector's slot with --slot."
              .formatted(name));
    }
    if (row.getString(5).equals("lost")) {
      throw new InvalidConfiguration(
          "The slot %s has lost its place in the log, so nobody knows what the connector has not delivered; nothing was done. Compare the table with the topics, and see the page on Debezium in the manual."
              .formatted(name));
    }
    return new State(
        row.getBoolean(3), row.getString(4), row.getString(6), row.getBoolean(7), row.getLong(8));
  }

  /**
   * Rows of a table, up to a position, that the slot has not confirmed. Reads without confirming,
   * which is possible only while nobody else reads.
   */
  long unread(String table, String position, String publication) {
    return ask(
        "read on from the slot " + name,
        connection -> {
          try (PreparedStatement select = connection.prepareStatement(UNREAD)) {
            select.setString(1, name);
            select.setString(2, position);
            select.setString(3, publication);
            select.setString(4, table);
            try (ResultSet row = select.executeQuery()) {
              row.next();
              return row.getLong(1);
            }
          }
        });
  }

  /** For good; what the slot has not confirmed cannot be read from it any more. */
  void drop() {
    ask(
        "drop the slot " + name,
        connection -> {
          try (PreparedStatement drop =
              connection.prepareStatement("select pg_drop_replication_slot(?)")) {
            drop.setString(1, name);
            return drop.execute();
          }
        });
  }

  /** A question to the database. */
  @FunctionalInterface
  private interface Question<T> {
    T ask(Connection connection) throws SQLException;
  }

  private <T> T ask(String doing, Question<T> question) {
    try (Connection connection = dataSource.getConnection()) {
      return question.ask(connection);
    } catch (SQLException e) {
      if (OBJECT_IN_USE.equals(e.getSQLState())) {
        throw new DatabaseFailure(
            "Could not %s: the connector is reading from it. Nothing was dropped. Stop the connector, and run this again."
                .formatted(doing),
            e);
      }
      throw new DatabaseFailure(
          "Could not %s: SQLState %s (%s). Nothing was dropped."
              .formatted(doing, e.getSQLState(), e.getMessage()),
          e);
    }
  }
}
