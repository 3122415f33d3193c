package dev.holdfast.postgres;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.InvalidMessage;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Moves what another outbox has not delivered into this store.
 *
 * <p>A batch is one transaction: under a lock that excludes old writers and old relays it publishes
 * the oldest rows and marks or deletes them. So whatever crashes, a row is either still in the old
 * table or in the outbox, and running it again goes on where it ended. Within a key, messages keep
 * the order of {@link OldTable.Part#ORDER}.
 *
 * <p>{@link #cutOver} installs a trigger in the transaction that found nothing left to move: from
 * that commit on, what an old version of the application writes into its table is published in its
 * own transaction, behind everything that was there before.
 *
 * <p>Needs the rights of the old table's owner and of {@code holdfast_relay}; the trigger those of
 * the schema's owner. Runs on connections of its own. Safe for use by several threads, of which one
 * waits for the other.
 */
public final class Takeover {
  private static final int MOST_TOPICS = 1000;
  private static final long BATCH_BYTES = 16 << 20;

  /** Short, since every writer of the table queues up behind a lock that waits. */
  private static final Duration LOCK_ATTEMPT = Duration.ofMillis(300);

  private static final String BEGIN =
      "set transaction isolation level read committed; set local synchronous_commit = on;"
          + " set local lock_timeout = "
          + LOCK_ATTEMPT.toMillis();

  private final Database database;
  private final OldTable table;
  private final TakeoverSql sql;
  private final int batchRows;
  private final int attempts;

  private Takeover(Database database, OldTable table, int batchRows, int attempts) {
    this.database = database;
    this.table = table;
    this.sql = new TakeoverSql(table);
    this.batchRows = batchRows;
    this.attempts = attempts;
  }

  /**
   * @param schema of Holdfast's tables, which must be there
   * @param batchRows how many rows one transaction moves at most, 1 to 100,000
   * @param wait how long each transaction tries to lock the table, at most an hour
   * @throws InvalidConfiguration when a bound is exceeded
   */
  public static Takeover of(
      DataSource dataSource, String schema, OldTable table, int batchRows, Duration wait) {
    if (batchRows < 1 || batchRows > 100_000) {
      throw new InvalidConfiguration(
          "A batch of %d rows is not within 1 to 100000, so nothing was done."
              .formatted(batchRows));
    }
    if (wait.isNegative() || wait.compareTo(Duration.ofHours(1)) > 0) {
      throw new InvalidConfiguration(
          "A wait of %s is not within nothing and an hour, so nothing was done.".formatted(wait));
    }
    return new Takeover(
        new Database(dataSource, new SchemaName(schema)),
        table,
        batchRows,
        1 + (int) (wait.toMillis() / LOCK_ATTEMPT.toMillis()));
  }

  /**
   * What waits in the old table for one topic.
   *
   * @param oldest since when, if the table tells
   * @param unpublishable how many of them no message can be made of
   * @param routed whether a channel takes the topic
   */
  public record Waiting(
      String topic, long rows, @Nullable Instant oldest, long unpublishable, boolean routed) {}

  /** Rows that nobody has delivered and that are not moved. */
  public record Left(String reason, long rows) {}

  /** What there is to do; {@code waiting} names at most a thousand topics. */
  public record Preview(List<Waiting> waiting, List<Left> left) {}

  /**
   * The installed trigger.
   *
   * @param since the log position ({@code pg_lsn}) behind everything that was written without it
   */
  public record Cutover(String function, String since) {}

  /** Reads and changes nothing. */
  public Preview preview() {
    return database.transact(
        "look at the old outbox",
        connection ->
            new Preview(
                database.many(
                    connection,
                    sql.byTopic(),
                    row ->
                        new Waiting(
                            Optional.ofNullable(row.getString(1)).orElse("(none)"),
                            row.getLong(2),
                            row.getTimestamp(3) == null ? null : row.getTimestamp(3).toInstant(),
                            row.getLong(4),
                            row.getBoolean(5)),
                    MOST_TOPICS),
                database.many(
                    connection, sql.left(), row -> new Left(row.getString(1), row.getLong(2)))));
  }

  /**
   * Moves all that is to be moved, in batches.
   *
   * @return how many rows
   * @throws DatabaseFailure when the table could not be locked, or anything else fails; batches
   *     before that stay moved
   * @throws InvalidMessage when no message can be made of a row
   * @throws dev.holdfast.UnroutedTopic when no channel takes a topic
   */
  public long move() {
    return move(false);
  }

  /** As {@link #move}, and the transaction that finds nothing left installs the trigger. */
  public long cutOver() {
    return move(true);
  }

  /**
   * Installs the trigger and moves nothing: for a table whose rows somebody else still delivers, up
   * to {@link Cutover#since}.
   */
  public void install() {
    locked(
        "install the trigger on " + table.name(),
        connection -> {
          install(connection);
          return Boolean.TRUE;
        });
  }

  private long move(boolean cutOver) {
    long moved = 0;
    Batch batch;
    do {
      batch =
          locked(
              "move rows from " + table.name(),
              connection -> {
                Batch moving = moveBatch(connection);
                if (cutOver && moving.last()) {
                  install(connection);
                }
                return moving;
              });
      moved += batch.rows();
    } while (!batch.last());
    return moved;
  }

  private record Batch(int rows, boolean last) {}

  private Batch moveBatch(Connection connection) throws SQLException {
    String[] places;
    long seen;
    try (PreparedStatement publish =
            database.prepare(connection, sql.publish(), batchRows, BATCH_BYTES);
        ResultSet row = publish.executeQuery()) {
      if (!row.next()) {
        return new Batch(0, true);
      }
      places = (String[]) row.getArray(1).getArray();
      seen = row.getLong(2);
      String refused = row.getString(3);
      if (refused != null) {
        throw new InvalidMessage(
            "No message can be made of the row with id %s: a topic has 1 to 249 of the characters A-Z a-z 0-9 . _ - and a key or dedupe key at most 512, a type at most 255. This batch is rolled back, and those before it stay moved. Correct the row, or choose other topics and keys."
                .formatted(refused));
      }
    }
    int disposed = database.update(connection, sql.dispose(), (Object) places);
    if (disposed != places.length) {
      throw new DatabaseFailure(
          "Of %d rows of %s that were published, %d could be marked, so the batch is rolled back. Look for triggers or rules of the table that swallow the change."
              .formatted(places.length, table.name(), disposed));
    }
    return new Batch(places.length, seen == places.length && seen < batchRows);
  }

  private void install(Connection connection) throws SQLException {
    long oid =
        database
            .one(connection, "select ?::regclass::oid::bigint", row -> row.getLong(1), table.name())
            .orElseThrow();
    Optional<Cutover> before = cutover(connection);
    try (Statement ddl = connection.createStatement()) {
      ddl.execute(database.schema().in(sql.createFunction(oid)));
      ddl.execute(
          database
              .schema()
              .in("revoke execute on function " + sql.function(oid) + "() from public"));
      // The position of the first time counts: what came later is published by the trigger.
      if (before.isEmpty()) {
        ddl.execute(database.schema().in(sql.createTrigger(oid)));
        if (table.publication() != null) {
          ddl.execute(sql.withdraw());
        }
        String here =
            database
                .one(
                    connection, "select pg_current_wal_insert_lsn()::text", row -> row.getString(1))
                .orElseThrow();
        ddl.execute(sql.remember(here));
      }
    }
  }

  /** The trigger, if it is installed. */
  public Optional<Cutover> cutover() {
    return database.transact("look for the trigger", this::cutover);
  }

  private Optional<Cutover> cutover(Connection connection) throws SQLException {
    return database.one(
        connection,
        TakeoverSql.recall(),
        row -> new Cutover(row.getString(1), Optional.ofNullable(row.getString(2)).orElse("0/0")),
        table.name());
  }

  /**
   * Takes the trigger away: rows that are written from then on stay in the old table.
   *
   * @return false when there was none
   */
  public boolean removeTrigger() {
    return locked(
        "remove the trigger from " + table.name(),
        connection -> {
          Optional<Cutover> installed = cutover(connection);
          if (installed.isEmpty()) {
            return false;
          }
          try (Statement ddl = connection.createStatement()) {
            ddl.execute("drop trigger " + TakeoverSql.TRIGGER + " on " + table.name());
            ddl.execute("drop function " + installed.get().function());
          }
          return true;
        });
  }

  /** Runs and commits with the table locked; tries again while others hold what it needs. */
  private <T> T locked(String doing, Database.Work<T> work) {
    for (int attempt = 1; attempt <= attempts; attempt++) {
      Optional<T> result =
          database.onConnection(
              doing,
              connection -> {
                try (Statement statement = connection.createStatement()) {
                  statement.execute(BEGIN);
                  statement.execute(sql.lock());
                  T value = work.run(connection);
                  connection.commit();
                  return Optional.of(value);
                } catch (SQLException e) {
                  if (!SqlErrors.isRetryable(e)
                      && !SqlErrors.state(e).equals(SqlErrors.LOCK_NOT_AVAILABLE)) {
                    throw e;
                  }
                  connection.rollback();
                  return Optional.empty();
                }
              });
      if (result.isPresent()) {
        return result.get();
      }
    }
    throw new DatabaseFailure(
        "Could not %s: others hold the table or a message's key (%s). What was not committed is rolled back; batches before it stay moved. End their transactions, or wait longer."
            .formatted(doing, holders()));
  }

  private String holders() {
    List<String> sessions =
        database.transact(
            "see who holds the table",
            connection ->
                database.many(
                    connection,
                    TakeoverSql.holders(),
                    row ->
                        "process %s, %s, %s for %d s"
                            .formatted(
                                row.getString(1),
                                row.getString(2),
                                row.getString(3),
                                row.getLong(4)),
                    table.name()));
    return sessions.isEmpty() ? "nobody at the moment" : String.join("; ", sessions);
  }
}
