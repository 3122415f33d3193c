package dev.holdfast.postgres;

import dev.holdfast.Message;
import dev.holdfast.NoTransaction;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.outbox.store.Attempt;
import dev.holdfast.outbox.store.OutboxWriter;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Records messages with one call of a function, and where we commit, with the commit behind it. */
final class PostgresWriter implements OutboxWriter {
  /** How long a segment of attempts is written to; an attempt's row lives at least this long. */
  static final Duration ATTEMPT_PERIOD = Duration.ofHours(2);

  private static final Duration LARGEST_CLOCK_DIFFERENCE = Duration.ofMinutes(30);

  static final String PUBLISH = "select ${schema}.publish_all(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

  private static final String PUBLISH_AND_RECORD =
      "select ${schema}.publish_and_record(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::smallint, ?)";

  private static final String RECORD_ATTEMPT =
      "select ${schema}.record_attempt(?::smallint, ?, ?, true)";

  /** Two statements and one round trip; afterwards the connection is idle. */
  private static final String PUBLISH_AND_COMMIT = PUBLISH_AND_RECORD + "; commit";

  private static final String RECORD_AND_COMMIT = RECORD_ATTEMPT + "; commit";

  /** The transaction has an id then, without which it would record no attempt. */
  private static final String CHANGE_AND_RECORD = "select pg_current_xact_id(); " + RECORD_ATTEMPT;

  private final Database database;

  PostgresWriter(Database database) {
    this.database = database;
  }

  @Override
  public void publish(Connection connection, String operationId, List<Message> messages)
      throws SQLException {
    if (connection.isClosed()) {
      throw new NoTransaction(
          "The connection is closed, so nothing was recorded. Publish before the transaction ends.");
    }
    if (connection.getAutoCommit()) {
      throw new NoTransaction(
          "The connection is in autocommit mode, so a message recorded on it would not share the"
              + " commit of anything; nothing was recorded. Call setAutoCommit(false) first, or use"
              + " Holdfast.transact.");
    }
    try (PreparedStatement statement = connection.prepareStatement(database.schema().in(PUBLISH))) {
      bind(connection, statement, operationId, messages);
      statement.execute();
    }
  }

  @Override
  public void commit(
      Connection connection, Attempt attempt, String operationId, List<Message> messages)
      throws SQLException {
    String sql = messages.isEmpty() ? RECORD_AND_COMMIT : PUBLISH_AND_COMMIT;
    execute(sql, connection, attempt, operationId, messages);
  }

  @Override
  public void record(
      Connection connection, Attempt attempt, String operationId, List<Message> messages)
      throws SQLException {
    String sql = messages.isEmpty() ? CHANGE_AND_RECORD : PUBLISH_AND_RECORD;
    execute(sql, connection, attempt, operationId, messages);
  }

  private void execute(
      String sql,
      Connection connection,
      Attempt attempt,
      String operationId,
      List<Message> messages)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(database.schema().in(sql))) {
      int next = messages.isEmpty() ? 1 : bind(connection, statement, operationId, messages);
      statement.setInt(next, segment(attempt.begunAt()));
      statement.setObject(next + 1, attempt.id());
      if (messages.isEmpty()) {
        statement.setString(next + 2, operationId);
      }
      statement.execute();
    }
  }

  private static int segment(Instant begunAt) {
    return (int) Math.floorMod(begunAt.getEpochSecond() / ATTEMPT_PERIOD.toSeconds(), 3L);
  }

  /**
   * @return the index of the next parameter
   */
  static int bind(
      Connection connection,
      PreparedStatement statement,
      String operationId,
      List<Message> messages)
      throws SQLException {
    statement.setArray(1, array(connection, "uuid", messages, Message::id, UUID[]::new));
    statement.setArray(2, array(connection, "text", messages, Message::topic, String[]::new));
    statement.setArray(3, array(connection, "text", messages, Message::key, String[]::new));
    statement.setArray(4, array(connection, "text", messages, Message::type, String[]::new));
    statement.setArray(5, array(connection, "text", messages, Message::contentType, String[]::new));
    statement.setArray(6, array(connection, "bytea", messages, Message::payload, byte[][]::new));
    statement.setArray(
        7,
        array(
            connection,
            "text",
            messages,
            message -> message.headers().isEmpty() ? null : Headers.toJson(message.headers()),
            String[]::new));
    bindOptional(
        connection,
        statement,
        8,
        "timestamptz",
        messages,
        message -> text(message.deliverAt()),
        String[]::new);
    bindOptional(connection, statement, 9, "text", messages, Message::dedupeKey, String[]::new);
    statement.setString(10, operationId);
    return 11;
  }

  private static @Nullable String text(@Nullable Instant instant) {
    return instant == null ? null : instant.toString();
  }

  private static <T> void bindOptional(
      Connection connection,
      PreparedStatement statement,
      int index,
      String type,
      List<Message> messages,
      Function<Message, @Nullable T> part,
      java.util.function.IntFunction<T[]> make)
      throws SQLException {
    if (messages.stream().allMatch(message -> part.apply(message) == null)) {
      statement.setNull(index, java.sql.Types.ARRAY, "_" + type);
    } else {
      statement.setArray(index, array(connection, type, messages, part, make));
    }
  }

  private static <T> Array array(
      Connection connection,
      String type,
      List<Message> messages,
      Function<Message, @Nullable T> part,
      java.util.function.IntFunction<T[]> make)
      throws SQLException {
    return connection.createArrayOf(type, messages.stream().map(part).toArray(make));
  }

  @Override
  public boolean isReplyLost(SQLException error) {
    return SqlErrors.isConnectionLost(error);
  }

  @Override
  public boolean isRetryable(SQLException error) {
    return SqlErrors.isRetryable(error);
  }

  @Override
  public RuntimeException translate(String doing, SQLException error) {
    return SqlErrors.translate(doing, error);
  }

  /**
   * Tries to write the attempt's row. A unique violation says that somebody has: the commit, or an
   * earlier question. Success, once committed, says that the commit never can. Waiting for the
   * other says that it is still under way.
   */
  @Override
  public Outcome resolve(Attempt attempt) {
    return database.onConnection(
        "resolve the outcome of a commit",
        connection -> {
          Outcome tooLate = checkClocks(connection, attempt);
          return tooLate == null ? probe(connection, attempt) : tooLate;
        });
  }

  private @Nullable Outcome checkClocks(Connection connection, Attempt attempt)
      throws SQLException {
    Instant there =
        database
            .one(connection, "select clock_timestamp()", row -> row.getTimestamp(1).toInstant())
            .orElseThrow();
    Duration age = Duration.between(attempt.begunAt(), there);
    if (age.compareTo(ATTEMPT_PERIOD.minus(LARGEST_CLOCK_DIFFERENCE)) > 0
        || age.negated().compareTo(LARGEST_CLOCK_DIFFERENCE) > 0) {
      return new Outcome.Unknown(
          "the attempt is %s old by the database's clock, and its record may be gone; look for its effects in your own tables"
              .formatted(age));
    }
    return null;
  }

  private Outcome probe(Connection connection, Attempt attempt) throws SQLException {
    String table = "${schema}.attempt_" + segment(attempt.begunAt());
    database.call(connection, "set local synchronous_commit = on; set local lock_timeout = '2s'");
    try {
      database.update(
          connection, "insert into " + table + " values (?, false, null)", attempt.id());
      connection.commit();
      return new Outcome.Rejected("the transaction is not committed, and never will be");
    } catch (SQLException e) {
      connection.rollback();
      return switch (SqlErrors.state(e)) {
        case SqlErrors.LOCK_NOT_AVAILABLE ->
            new Outcome.Unknown("the transaction is still running in the database; ask again");
        case SqlErrors.UNIQUE_VIOLATION -> written(connection, table, attempt);
        default -> throw e;
      };
    }
  }

  private Outcome written(Connection connection, String table, Attempt attempt)
      throws SQLException {
    boolean committed =
        database
            .one(
                connection,
                "select committed from " + table + " where attempt_id = ?",
                row -> row.getBoolean(1),
                attempt.id())
            .orElse(false);
    // It may have been committed with synchronous_commit off: a forced commit of our own behind it.
    database.call(connection, "set local synchronous_commit = on");
    database.call(
        connection, "select pg_current_xact_id(), pg_logical_emit_message(true, 'holdfast', '')");
    connection.commit();
    return committed
        ? new Outcome.Committed()
        : new Outcome.Rejected("the transaction is not committed, and never will be");
  }
}
