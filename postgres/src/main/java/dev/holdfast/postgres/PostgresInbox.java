package dev.holdfast.postgres;

import dev.holdfast.NoTransaction;
import dev.holdfast.inbox.store.InboxStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Ids in segments whose unique indexes do the waiting, see decision 7. */
final class PostgresInbox implements InboxStore {
  private static final String REGISTER =
      """
      insert into ${schema}.inbox_consumer (name, retention_ms) values (?, ?)
      on conflict (name) do update set retention_ms = excluded.retention_ms
        where inbox_consumer.retention_ms < excluded.retention_ms
      """;

  private static final String RECEIVE =
      "select first, segment, fingerprint, operation_id, content_type, body"
          + " from ${schema}.receive(?, ?, ?, ?, ?, ?)";

  private static final String RECEIVE_ALL =
      "select first, mismatch from ${schema}.receive_all(?, ?, ?, ?)";

  private final Database database;

  PostgresInbox(Database database) {
    this.database = database;
  }

  @Override
  public void register(String consumer, Duration retention) {
    database.write(
        "register the consumer " + consumer,
        connection -> database.update(connection, REGISTER, consumer, retention.toMillis()));
  }

  @Override
  public Received receive(
      Connection connection,
      String consumer,
      String messageId,
      byte @Nullable [] fingerprint,
      String operationId,
      @Nullable Duration leftAlone)
      throws SQLException {
    return receive(connection, consumer, messageId, fingerprint, operationId, leftAlone, true)
        .orElseThrow();
  }

  @Override
  public Optional<Received> tryReceive(
      Connection connection,
      String consumer,
      String messageId,
      byte @Nullable [] fingerprint,
      String operationId,
      @Nullable Duration leftAlone)
      throws SQLException {
    return receive(connection, consumer, messageId, fingerprint, operationId, leftAlone, false);
  }

  private Optional<Received> receive(
      Connection connection,
      String consumer,
      String messageId,
      byte @Nullable [] fingerprint,
      String operationId,
      @Nullable Duration leftAlone,
      boolean waits)
      throws SQLException {
    if (connection.getAutoCommit()) {
      throw new NoTransaction(
          "The connection is in autocommit mode, so message "
              + messageId
              + " was not handled: its id and its effects would not be one commit. Call"
              + " setAutoCommit(false), or let Inbox.once begin the transaction.");
    }
    try (PreparedStatement statement = connection.prepareStatement(database.schema().in(RECEIVE))) {
      statement.setString(1, consumer);
      statement.setString(2, messageId);
      statement.setBytes(3, fingerprint);
      statement.setString(4, operationId);
      statement.setObject(5, leftAlone == null ? null : (int) leftAlone.toMillis(), Types.INTEGER);
      statement.setBoolean(6, waits);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? Optional.of(
                new Received(
                    row.getBoolean(1),
                    row.getInt(2),
                    row.getBytes(3),
                    row.getString(4),
                    row.getString(5),
                    row.getBytes(6)))
            : Optional.empty();
      }
    }
  }

  @Override
  public void keepReply(
      Connection connection,
      String consumer,
      String messageId,
      Received received,
      String contentType,
      byte[] body)
      throws SQLException {
    database.call(
        connection,
        "select ${schema}.keep_reply(?, ?, ?, ?, ?)",
        received.place(),
        consumer,
        messageId,
        contentType,
        body);
  }

  @Override
  public List<Known> receiveAll(Connection connection, String consumer, List<Arrival> arrivals)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(database.schema().in(RECEIVE_ALL))) {
      statement.setString(1, consumer);
      PostgresOffsets.set(statement, 2, "text", arrivals, Arrival::messageId, String[]::new);
      PostgresOffsets.set(statement, 3, "bytea", arrivals, Arrival::fingerprint, byte[][]::new);
      PostgresOffsets.set(statement, 4, "text", arrivals, Arrival::operationId, String[]::new);
      List<Known> known = new ArrayList<>(arrivals.size());
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          known.add(new Known(rows.getBoolean(1), rows.getBoolean(2)));
        }
      }
      return known;
    }
  }
}
