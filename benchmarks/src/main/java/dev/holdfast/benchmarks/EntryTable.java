package dev.holdfast.benchmarks;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import javax.sql.DataSource;

/** The rows that transactions insert, the same for all contenders. */
final class EntryTable {
  private static final String INSERT = "insert into bench_entry (number, payload) values (?, ?)";

  private EntryTable() {}

  /** An empty one, and nothing of the run before. */
  static void create(DataSource database) {
    Db.execute(
        database,
        "drop table if exists bench_entry",
        "create table bench_entry (number bigint primary key, payload bytea not null)");
  }

  static void insert(Connection connection, long number) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
      statement.setLong(1, number);
      statement.setBytes(2, Payload.of(number));
      statement.executeUpdate();
    }
  }

  /**
   * Every number from 0 on is there once, and nothing else.
   *
   * @throws BenchmarkFailure otherwise
   */
  static void check(DataSource database, long numbers) {
    // Numbers are unique, by the key: so many within these bounds are all of them.
    long found =
        Db.count(
            database, "select count(*) from bench_entry where number >= 0 and number < " + numbers);
    long all = Db.count(database, "select count(*) from bench_entry");
    if (found != numbers || all != numbers) {
      throw new BenchmarkFailure(
          "%,d transactions left %,d rows in one of the databases, %,d of them theirs"
              .formatted(numbers, all, found));
    }
  }
}
