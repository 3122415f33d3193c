package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Holdfast;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** The hint of a commit that Holdfast has not seen. */
final class WakeTest {
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
}
