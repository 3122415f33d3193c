package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;

/** The floor: one commit after the other. A crash between them leaves half of it. */
final class TwoCommitsContender implements TwoPhaseContender {
  @Override
  public String name() {
    return "two-commits";
  }

  @Override
  public String guarantee(TwoPhaseScenario scenario) {
    return "not atomic: a crash between the commits leaves one of the rows";
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
          first.commit();
          second.commit();
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
}
