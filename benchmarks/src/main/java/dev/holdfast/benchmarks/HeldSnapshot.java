package dev.holdfast.benchmarks;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/**
 * What {@code pg_dump} holds while it runs: a snapshot, with which no row version that is deleted
 * later can be removed, and a lock on every table that forbids to drop or truncate it. After it was
 * taken, rows elsewhere are updated, as goes on beside a dump.
 */
final class HeldSnapshot implements AutoCloseable {
  private static final int ROWS = 1_000;

  private static final String ALL_TABLES =
      """
      select format('%I.%I', schemaname, tablename) from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema')
      """;

  private final Connection connection;

  private HeldSnapshot(Connection connection) {
    this.connection = connection;
  }

  static HeldSnapshot take(DataSource dataSource, int updates) {
    Db.execute(
        dataSource,
        "drop table if exists bench_elsewhere",
        "create table bench_elsewhere (id int primary key, n int not null)",
        "insert into bench_elsewhere select i, 0 from generate_series(1, %d) i".formatted(ROWS));
    try {
      HeldSnapshot held = new HeldSnapshot(open(dataSource));
      Db.execute(
          dataSource,
          """
          do $$ begin
            for i in 1..%d loop
              update bench_elsewhere set n = n + 1 where id between i * 100 %% %d + 1 and i * 100 %% %d + 100;
              commit;
            end loop;
          end $$
          """
              .formatted(Math.max(1, updates / 100), ROWS, ROWS));
      return held;
    } catch (SQLException e) {
      throw new BenchmarkFailure("No snapshot could be held", e);
    }
  }

  private static Connection open(DataSource dataSource) throws SQLException {
    Connection connection = dataSource.getConnection();
    connection.setAutoCommit(false);
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    connection.setReadOnly(true);
    try (Statement statement = connection.createStatement()) {
      List<String> tables = new ArrayList<>();
      try (ResultSet rows = statement.executeQuery(ALL_TABLES)) {
        while (rows.next()) {
          tables.add(rows.getString(1));
        }
      }
      statement.execute("lock table " + String.join(", ", tables) + " in access share mode");
    }
    return connection;
  }

  @Override
  public void close() {
    try (connection) {
      connection.rollback();
      connection.setReadOnly(false);
      connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      connection.setAutoCommit(true);
    } catch (SQLException e) {
      throw new BenchmarkFailure("The held snapshot could not be given up", e);
    }
  }
}
