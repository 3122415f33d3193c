package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.devservices.PostgresServer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LedgerReaderTest {
  private static PostgresServer server;
  private static int databases;

  private String url;

  @BeforeAll
  static void start() {
    server = PostgresServer.builder().setting("track_commit_timestamp", "on").start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @BeforeEach
  void createTables() throws Exception {
    String name = "ledger_" + databases++;
    server.createDatabase(name);
    url = server.jdbcUrl(name);
    try (Connection connection = DriverManager.getConnection(url)) {
      Ledger.createTables(connection);
    }
  }

  private LedgerReader reader(boolean entersAll) {
    return new LedgerReader(Wiring.pool(url, 2), entersAll);
  }

  private void enter(String order, String end) throws Exception {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute("begin");
      Ledger.enter(connection, order, "customer-" + order);
      statement.execute(end);
    }
  }

  @Test
  void everyOrderIsDueToHaveAnEntryUnlessTheStrategyLosesSome() throws Exception {
    enter("a", "commit");
    enter("a", "commit");

    try (LedgerReader all = reader(true);
        LedgerReader some = reader(false)) {
      assertThat(all.isComplete(2)).isFalse();
      assertThat(all.isComplete(1)).isTrue();
      assertThat(some.isComplete(2)).isTrue();
      assertThat(all.orderIds()).isEqualTo(List.of("a", "a"));
      assertThat(all.firstSeenMicros()).containsOnlyKeys("a");
    }
  }

  @Test
  void whatIsLeftPreparedIsNotTheEnd() throws Exception {
    enter("a", "commit");
    enter("b", "prepare transaction 'left'");

    try (LedgerReader all = reader(true);
        LedgerReader some = reader(false)) {
      assertThat(all.isComplete(1)).isFalse();
      assertThat(some.isComplete(1)).isFalse();

      try (Connection connection = DriverManager.getConnection(url);
          Statement statement = connection.createStatement()) {
        statement.execute("rollback prepared 'left'");
      }
      assertThat(all.isComplete(1)).isTrue();
      assertThat(some.isComplete(1)).isTrue();
    }
  }
}
