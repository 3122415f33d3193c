package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Clinic.ill;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.projection.store.ProjectionStore;
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
  void whatIsParkedAndWhomNobodyFollowsIsTold() throws SQLException {
    for (String check : java.util.List.of("projection.parked", "projection.late")) {
      assertThat(clinic.one(check).severity()).as(check).isEqualTo(Severity.OK);
    }
    ProjectionStore.Version version = new ProjectionStore.Version("orders", 1);
    clinic.store.projections().register(version, 1);
    try (Connection connection = clinic.dataSource.getConnection()) {
      append(connection);
      clinic.store.projections().park(connection, version, 0, "o-1", 1, "no such table");
      connection.commit();
      connection.setAutoCommit(true);
    }
    Finding parked = ill(clinic.one("projection.parked"), Severity.WARN);
    assertThat(parked.subject()).isEqualTo("orders/1");
    assertThat(parked.found()).contains("1 key(s)", "o-1: no such table");
    assertThat(parked.remedy()).endsWith("holdfast projection replay orders/1 --all");
    assertThat(clinic.one("projection.late").severity()).isEqualTo(Severity.OK);
    clinic.execute("update holdfast.event set recorded_at = recorded_at - interval '2 minutes'");
    clinic.execute(
        "update holdfast.projection_slot set changed_at = changed_at - interval '2 minutes'");
    assertThat(ill(clinic.one("projection.late"), Severity.WARN).found()).contains("position 0");
  }

  @Test
  void aSequenceThatKeepsPositionsIsTold() throws SQLException {
    assertThat(clinic.one("eventlog.sequence").severity()).isEqualTo(Severity.OK);
    clinic.execute("alter sequence holdfast.event_position cache 20");
    assertThat(ill(clinic.one("eventlog.sequence"), Severity.FAIL).remedy())
        .startsWith("alter sequence holdfast.event_position cache 1");
  }
}
