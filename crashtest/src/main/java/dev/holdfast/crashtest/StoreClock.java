package dev.holdfast.crashtest;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.InvalidConfiguration;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/**
 * Moves the time of a store in a test: the PostgreSQL function {@code now()} in Holdfast's schema,
 * by which leases expire, delayed messages come due, and retention ends. The time of the process,
 * and what the database puts down as the time of a record, stay as they are.
 *
 * <pre>{@code
 * try (StoreClock clock = StoreClock.of(dataSource, "holdfast")) {
 *   clock.advance(Duration.ofDays(1));
 *   // What is due tomorrow is due now, for every process that uses this schema.
 * }
 * }</pre>
 *
 * <p>Time moves forward only, at once and for everybody who uses the schema; a statement under way
 * finishes in the time in which it began. It is kept in a table of the schema, so it survives a
 * crash of the process; the next clock of the schema goes on from there. {@link #close} takes the
 * table away and gives the function back: leases then end as far from now as before, and what else
 * was put down while time was ahead stays put down. So use the schema for nothing else.
 *
 * <p>In production this would take leases from those who hold them and delete what is to be kept.
 * So it refuses a database to which another machine is connected, as far as the role may see that,
 * and a store that is older than a week. Thread-safe; the role must own the schema.
 */
public final class StoreClock implements AutoCloseable {
  private static final Pattern NAME = Pattern.compile("[a-z_][a-z0-9_]{0,62}");
  private static final int OLDEST_DAYS = 7;

  private static final String OTHERS =
      """
      select count(*) from pg_stat_activity
      where datname = current_database() and client_addr is not null
        and client_addr is distinct from inet_client_addr()
        and client_addr is distinct from inet_server_addr()
      """;

  private static final String OLD =
      """
      select coalesce(min(applied_at) < clock_timestamp() - interval '%2$d days', true)
      from %1$s.schema_version
      """;

  /** The function's new body is seen by statements that begin after the commit. */
  private static final String TAKE =
      """
      create table if not exists %1$s.store_clock (
        only_row boolean primary key default true check (only_row),
        ahead    interval not null default '0',
        speed    double precision not null default 1 check (speed >= 1),
        since    timestamptz not null default clock_timestamp());
      insert into %1$s.store_clock default values on conflict do nothing;
      grant select on %1$s.store_clock to public;
      create or replace function %1$s.now() returns timestamptz language sql stable as $$
        select clock_timestamp() + ahead + (speed - 1) * (clock_timestamp() - since)
        from %1$s.store_clock
      $$;
      """;

  private static final String ADVANCE =
      "update %1$s.store_clock set ahead = ahead + ? * interval '1 ms'";

  private static final String SPEED =
      """
      update %1$s.store_clock
      set ahead = ahead + (speed - 1) * (clock_timestamp() - since),
          since = clock_timestamp(), speed = ?
      """;

  private static final String GIVE_BACK =
      """
      do $do$ declare shift interval := %1$s.now() - clock_timestamp(); begin
        create or replace function %1$s.now() returns timestamptz
          language sql stable as $$ select clock_timestamp() $$;
        update %1$s.lease set expires_at = expires_at - shift;
      end $do$
      """;

  /** Alone, since it waits for everybody whose transaction has asked for the time. */
  private static final String DROP =
      "set lock_timeout = '10s'; drop table if exists %1$s.store_clock; reset lock_timeout";

  private final DataSource dataSource;
  private final String schema;

  private StoreClock(DataSource dataSource, String schema) {
    this.dataSource = dataSource;
    this.schema = schema;
  }

  /**
   * The clock of a store, which goes on as it did until it is moved.
   *
   * @param schema that of Holdfast's tables, which must be there
   * @throws InvalidConfiguration when it would be dangerous; nothing was changed
   * @throws DatabaseFailure when the database refuses it; nothing was changed
   */
  public static StoreClock of(DataSource dataSource, String schema) {
    if (!NAME.matcher(schema).matches()) {
      throw new InvalidConfiguration(
          "'" + schema + "' is not the name of a schema of Holdfast's. Nothing was changed.");
    }
    StoreClock clock = new StoreClock(dataSource, schema);
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(true);
      requireHarmless(connection, schema);
      execute(connection, TAKE.formatted(schema));
    } catch (SQLException e) {
      throw new DatabaseFailure(
          "The time of schema " + schema + " cannot be moved: " + e.getMessage(), e);
    }
    return clock;
  }

  private static void requireHarmless(Connection connection, String schema) throws SQLException {
    if (ask(connection, OTHERS, row -> row.getLong(1)) > 0) {
      throw new InvalidConfiguration(
          "Other machines are connected to the database of schema "
              + schema
              + ", whose leases and messages moving the time would end. Nothing was changed. Use a"
              + " database of the test's own.");
    }
    if (ask(connection, OLD.formatted(schema, OLDEST_DAYS), row -> row.getBoolean(1))) {
      throw new InvalidConfiguration(
          "The store in schema %s is older than %d days, so that it may hold what is needed. Nothing was changed. Make the schema anew for the test."
              .formatted(schema, OLDEST_DAYS));
    }
  }

  /**
   * Moves the time on.
   *
   * @param by not negative: leases that were taken would last longer than anybody waits
   */
  public void advance(Duration by) {
    if (by.isNegative()) {
      throw new IllegalArgumentException("Time moves forward only, not by " + by + ".");
    }
    update(ADVANCE, by.toMillis());
  }

  /**
   * Lets time pass so many times as fast from now on.
   *
   * @param times 1 or more
   */
  public void accelerate(double times) {
    if (!(times >= 1 && times <= 1e6)) {
      throw new IllegalArgumentException(
          "Time passes 1 to 1,000,000 times as fast, not " + times + " times.");
    }
    update(SPEED, times);
  }

  /** What time it is in the store. */
  public Instant now() {
    try (Connection connection = dataSource.getConnection()) {
      return ask(
          connection,
          "select (date_part('epoch', %1$s.now()) * 1000)::bigint".formatted(schema),
          row -> Instant.ofEpochMilli(row.getLong(1)));
    } catch (SQLException e) {
      throw new DatabaseFailure(
          "The time of schema " + schema + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** Gives the store its own time back. To be called when what uses the schema has ended. */
  @Override
  public void close() {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(true);
      execute(connection, GIVE_BACK.formatted(schema));
      execute(connection, DROP.formatted(schema));
    } catch (SQLException e) {
      throw new DatabaseFailure(
          "The time of schema "
              + schema
              + " was not given back, drop the schema: "
              + e.getMessage(),
          e);
    }
  }

  private void update(String sql, Number value) {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(sql.formatted(schema))) {
      connection.setAutoCommit(true);
      statement.setObject(1, value);
      statement.executeUpdate();
    } catch (SQLException e) {
      throw new DatabaseFailure(
          "The time of schema " + schema + " was not moved: " + e.getMessage(), e);
    }
  }

  @FunctionalInterface
  private interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  private static <T> T ask(Connection connection, String sql, Row<T> row) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      found.next();
      return row.read(found);
    }
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
