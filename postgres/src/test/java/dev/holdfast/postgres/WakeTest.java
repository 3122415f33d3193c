package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/** The hint of a commit that Holdfast has not seen. */
final class WakeTest {
  private static final Duration BOUND = Duration.ofSeconds(60);

  private final String schema = TestDatabase.newSchema();

  @Test
  void relaysElsewhereHearOfACommitThatTheCallerHasMade() throws SQLException {
    try (Holdfast holdfast = Holdfast.on(TestDatabase.dataSource()).schema(schema).start();
        Connection listener = TestDatabase.dataSource().getConnection();
        Statement statement = listener.createStatement()) {
      PGConnection postgres = listener.unwrap(PGConnection.class);
      statement.execute("listen " + schema + "_wakeup");
      assertThat(postgres.getNotifications(200)).isNullOrEmpty();

      holdfast.wake();

      assertThat(postgres.getNotifications(30_000)).hasSize(1);
      statement.execute("unlisten *");
    }
  }

  /** Which ends the driver's own wait; without it each close would take as long as that. */
  @Test
  void aListenerThatIsClosedIsWokenToSeeIt() throws SQLException {
    Database database = new Database(TestDatabase.dataSource(), new SchemaName(schema));
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      PGConnection postgres = connection.unwrap(PGConnection.class);
      statement.execute("listen " + schema + "_wakeup");

      // Rarely the driver's wait is over by itself when it is closed: then none is needed.
      await()
          .atMost(BOUND)
          .until(
              () -> {
                try (AutoCloseable listening = new PostgresWakeUps(database).listen(() -> {})) {
                  await().atMost(BOUND).until(() -> listeners(statement) == 2);
                }
                PGNotification[] heard = postgres.getNotifications(1_000);
                return heard != null && heard.length > 0;
              });

      statement.execute("unlisten *");
    }
  }

  private int listeners(Statement statement) throws SQLException {
    try (ResultSet row =
        statement.executeQuery(
            "select count(*) from pg_stat_activity where pid = pg_backend_pid() or query = 'listen "
                + schema
                + "_wakeup'")) {
      row.next();
      return row.getInt(1);
    }
  }
}
