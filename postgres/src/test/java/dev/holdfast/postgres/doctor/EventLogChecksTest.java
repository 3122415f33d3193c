package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Clinic.ill;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.ExpectedVersion;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The event log, ill once in each way. */
final class EventLogChecksTest {
  private static final Limits AT_ONCE =
      new Limits(
          Limits.DEFAULT.lag(),
          Limits.DEFAULT.leaderless(),
          Limits.DEFAULT.transaction(),
          Duration.ZERO,
          Limits.DEFAULT.overdue(),
          Limits.DEFAULT.clocks(),
          Limits.DEFAULT.frozenAge(),
          Limits.DEFAULT.horizonAge(),
          Limits.DEFAULT.inDoubt(),
          Limits.DEFAULT.decided());

  private final Clinic clinic = Clinic.healthy();

  private void append(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    clinic
        .store
        .events()
        .append(
            connection, Append.to("s", ExpectedVersion.any(), EventData.json("noted", "{}")), "op");
  }

  @Test
  void whoeverHoldsTheReadersIsNamedWithWhatEndsIt() throws SQLException {
    assertThat(clinic.one("eventlog.mark", AT_ONCE).severity()).isEqualTo(Severity.OK);
    try (Connection connection = clinic.dataSource.getConnection()) {
      append(connection);
      assertThat(clinic.one("eventlog.mark").severity()).isEqualTo(Severity.OK);
      Finding session = ill(clinic.one("eventlog.mark", AT_ONCE), Severity.WARN);
      assertThat(session.subject()).startsWith("session ");
      assertThat(session.remedy()).startsWith("select pg_terminate_backend(");
      try (Statement statement = connection.createStatement()) {
        statement.execute("prepare transaction 'it''s mine'");
      }
      connection.commit();
      connection.setAutoCommit(true);
    }
    Finding prepared = ill(clinic.one("eventlog.mark", AT_ONCE), Severity.WARN);
    assertThat(prepared.subject()).isEqualTo("prepared it's mine");
    assertThat(prepared.remedy()).startsWith("rollback prepared 'it''s mine';");
    clinic.execute("rollback prepared 'it''s mine'");
  }

  @Test
  void aSequenceThatKeepsPositionsIsTold() throws SQLException {
    assertThat(clinic.one("eventlog.sequence").severity()).isEqualTo(Severity.OK);
    clinic.execute("alter sequence holdfast.event_position cache 20");
    assertThat(ill(clinic.one("eventlog.sequence"), Severity.FAIL).remedy())
        .startsWith("alter sequence holdfast.event_position cache 1");
  }
}
