package dev.holdfast.mariadb;

import dev.holdfast.boundary.Outcome;
import dev.holdfast.outbox.store.Attempt;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Resolves lost replies to commits in which no other database took part. Thread-safe. */
final class Attempts {
  /** How long an attempt's row is kept at least. */
  private static final Duration KEPT = Duration.ofHours(2);

  private static final Duration LARGEST_CLOCK_DIFFERENCE = Duration.ofMinutes(30);
  private static final int AT_ONCE = 1_000;

  private static final String TOO_LATE =
      """
      select timestampdiff(microsecond, cast(? as datetime(6)), utc_timestamp(6))
      """;

  private final Database database;

  Attempts(Database database) {
    this.database = database;
  }

  /**
   * Tries to write the attempt's row. A duplicate key says that somebody has: the commit, or an
   * earlier question. Success says that the commit never can. Waiting for the other says that it is
   * still under way.
   */
  Outcome resolve(Attempt attempt) {
    return database.onConnection(
        "resolve the outcome of a commit",
        connection -> {
          Outcome tooLate = checkClocks(connection, attempt);
          return tooLate == null ? probe(connection, attempt) : tooLate;
        });
  }

  private @Nullable Outcome checkClocks(Connection connection, Attempt attempt)
      throws SQLException {
    String begun = utc(attempt);
    Duration age =
        database
            .one(connection, TOO_LATE, row -> Duration.ofNanos(row.getLong(1) * 1_000), begun)
            .orElseThrow();
    if (age.compareTo(KEPT.minus(LARGEST_CLOCK_DIFFERENCE)) > 0
        || age.negated().compareTo(LARGEST_CLOCK_DIFFERENCE) > 0) {
      return new Outcome.Unknown(
          "the attempt is %s old by the database's clock, and its record may be gone; look for its effects in your own tables"
              .formatted(age));
    }
    return null;
  }

  /** As text, since drivers move a Timestamp into the time zone that they think is wanted. */
  private static String utc(Attempt attempt) {
    return attempt.begunAt().toString().replace("T", " ").replace("Z", "");
  }

  private Outcome probe(Connection connection, Attempt attempt) throws SQLException {
    try {
      database.update(
          connection,
          """
          set statement innodb_lock_wait_timeout = 2 for
          insert into ${prefix}_attempt (id, committed, at) values (?, false, utc_timestamp(6))
          """,
          attempt.id());
      return new Outcome.Rejected("the transaction is not committed, and never will be");
    } catch (SQLException e) {
      return switch (e.getErrorCode()) {
        case SqlErrors.LOCK_WAIT_TIMEOUT ->
            new Outcome.Unknown("the transaction is still running in the database; ask again");
        case SqlErrors.DUPLICATE_KEY -> written(connection, attempt);
        default -> throw e;
      };
    }
  }

  private Outcome written(Connection connection, Attempt attempt) throws SQLException {
    boolean committed =
        database
            .one(
                connection,
                "select committed from ${prefix}_attempt where id = ?",
                row -> row.getBoolean(1),
                attempt.id())
            .orElse(false);
    database.flush(connection);
    return committed
        ? new Outcome.Committed()
        : new Outcome.Rejected("the transaction is not committed, and never will be");
  }

  /** Deletes, by key, rows that nobody may ask about any more. */
  void forget() {
    List<String> old =
        database.onConnection(
            "forget attempts",
            connection ->
                database.many(
                    connection,
                    """
                    select id from ${prefix}_attempt
                    where at < utc_timestamp(6) - interval ? second order by at limit ?
                    """,
                    row -> row.getString(1),
                    KEPT.toSeconds(),
                    AT_ONCE));
    if (old.isEmpty()) {
      return;
    }
    database.transact(
        "forget attempts",
        connection -> {
          try (PreparedStatement statement =
              database.prepare(connection, "delete from ${prefix}_attempt where id = ?")) {
            for (String id : old) {
              statement.setString(1, id);
              statement.addBatch();
            }
            statement.executeBatch();
            return Boolean.TRUE;
          }
        });
  }
}
