package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;

/** PostgreSQL's prepared transactions by SQL, and nobody who remembers what was decided. */
final class RawXaContender implements TwoPhaseContender {
  @Override
  public String name() {
    return "raw-xa";
  }

  @Override
  public String guarantee(TwoPhaseScenario scenario) {
    return "atomic until it crashes: no log tells what was decided";
  }

  @Override
  public Map<String, String> settings() {
    return Map.of();
  }

  @Override
  public TwoPhaseEntry enter(TwoPhaseServers servers, TwoPhaseScenario scenario) {
    HikariDataSource a = TwoPhaseServers.pool(servers.urlA(), scenario.threads());
    HikariDataSource b = TwoPhaseServers.pool(servers.urlB(), scenario.threads());
    return new TwoPhaseEntry() {
      @Override
      public void commit(long number) throws SQLException {
        try (Connection first = a.getConnection();
            Connection second = b.getConnection()) {
          EntryTable.insert(first, number);
          EntryTable.insert(second, number);
          prepare(first, number);
          prepare(second, number);
          commitPrepared(first, number);
          commitPrepared(second, number);
        }
      }

      @Override
      public void settle() {
        // A commit that returns is done.
      }

      @Override
      public void close() {
        b.close();
        a.close();
      }
    };
  }

  private static void prepare(Connection connection, long number) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("prepare transaction 'bench-%d'".formatted(number));
    }
  }

  /** Outside of any transaction, which costs no round trip: the branch has left the session. */
  private static void commitPrepared(Connection connection, long number) throws SQLException {
    connection.setAutoCommit(true);
    try (Statement statement = connection.createStatement()) {
      statement.execute("commit prepared 'bench-%d'".formatted(number));
    }
    connection.setAutoCommit(false);
  }
}
