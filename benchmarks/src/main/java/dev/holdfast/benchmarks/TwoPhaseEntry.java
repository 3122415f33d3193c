package dev.holdfast.benchmarks;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/** A contender in one run: {@link #commit} by many threads at once, then {@link #settle}. */
interface TwoPhaseEntry extends AutoCloseable {
  String INSERT = "insert into bench_entry (number, payload) values (?, ?)";

  /** One transaction: the row of that number in both databases. */
  void commit(long number) throws Exception;

  /**
   * Returns when everything that was committed is so in both databases. The clock runs until then,
   * so that nobody gains by leaving work behind.
   */
  void settle() throws Exception;

  /** Closes every connection. */
  @Override
  void close() throws Exception;

  /** The effect in one database, the same for all. */
  static void insert(Connection connection, long number) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
      statement.setLong(1, number);
      statement.setBytes(2, Payload.of(number));
      statement.executeUpdate();
    }
  }
}
