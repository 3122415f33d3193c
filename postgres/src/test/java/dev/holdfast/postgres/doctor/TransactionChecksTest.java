package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Clinic.ill;
import static dev.holdfast.postgres.doctor.Clinic.limits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Those who hold what others wait for are named, and the remedy, pasted, ends them. */
final class TransactionChecksTest {
  private static final Duration BOUND = Duration.ofSeconds(30);
  private final Clinic clinic = Clinic.healthy();

  private static int pid(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select pg_backend_pid()")) {
      row.next();
      return row.getInt(1);
    }
  }

  private static String remedy(Finding finding) {
    return Objects.requireNonNull(finding.remedy());
  }

  @Test
  void sessionThatHoldsTheHorizonIsNamedAndEndedByTheRemedy() throws SQLException {
    try (Connection holder = clinic.connect();
        Statement statement = holder.createStatement()) {
      holder.setAutoCommit(false);
      holder.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      statement.execute("set application_name = 'monthly report'");
      statement.execute("select count(*) from holdfast.message");
      int pid = pid(holder);

      Finding found = ill(clinic.one("transactions.horizon", limits(Duration.ZERO)), Severity.WARN);

      assertThat(found.subject()).isEqualTo("session " + pid);
      assertThat(found.evidence())
          .containsEntry("user", "postgres")
          .containsEntry("application", "monthly report")
          .containsKeys("age_seconds", "age_transactions");
      assertThat(clinic.one("transactions.horizon").severity()).isEqualTo(Severity.OK);
      clinic.execute(remedy(found));
      await()
          .atMost(BOUND)
          .until(
              () ->
                  clinic.one("transactions.horizon", limits(Duration.ZERO)).severity()
                      == Severity.OK);
    }
  }

  @Test
  void transactionThatHoldsAKeyIsNamedWithThoseWhoWait() throws Exception {
    try (Connection holder = clinic.publishing("k")) {
      Thread waiting =
          new Thread(
              () -> {
                try {
                  clinic.publish("k");
                } catch (SQLException ended) {
                  throw new IllegalStateException(ended);
                }
              });
      waiting.start();
      await()
          .atMost(BOUND)
          .until(
              () ->
                  clinic.of("transactions.publishers", limits(Duration.ZERO)).stream()
                      .anyMatch(each -> Integer.valueOf(1).equals(each.evidence().get("waiting"))));
      Finding found =
          clinic.of("transactions.publishers", limits(Duration.ZERO)).stream()
              .filter(each -> each.subject().startsWith("session"))
              .findFirst()
              .orElseThrow();
      assertThat(found.subject()).isEqualTo("session " + pid(holder));
      assertThat(ill(found, Severity.WARN).evidence()).containsEntry("key_stripes", 1);
      assertThat(clinic.one("transactions.publishers").severity()).isEqualTo(Severity.OK);
      holder.commit();
      waiting.join(BOUND.toMillis());
      assertThat(waiting.isAlive()).isFalse();
    }
  }

  @Test
  void preparedTransactionIsNamedWithTheKeysItHolds() throws SQLException {
    try (Connection connection = clinic.publishing("k");
        Statement statement = connection.createStatement()) {
      statement.execute("prepare transaction 'it''s an orphan'");
      connection.commit();
    }
    Finding found = ill(clinic.one("transactions.prepared", limits(Duration.ZERO)), Severity.FAIL);

    assertThat(found.evidence())
        .containsEntry("gid", "it's an orphan")
        .containsEntry("key_stripes", 1)
        .containsEntry("database", clinic.database);
    Finding horizon = ill(clinic.one("transactions.horizon", limits(Duration.ZERO)), Severity.WARN);
    assertThat(horizon.evidence()).containsEntry("kind", "prepared");
    assertThat(clinic.one("transactions.prepared").severity()).isEqualTo(Severity.OK);

    String remedy = remedy(found);
    clinic.execute(remedy.substring(remedy.indexOf("rollback prepared")));
    assertThat(clinic.one("transactions.prepared", limits(Duration.ZERO)).severity())
        .isEqualTo(Severity.OK);
  }

  @Test
  void slotThatNobodyReadsIsFoundAndSoIsOneThatHasLostItsLog() throws SQLException {
    clinic.execute("select pg_create_physical_replication_slot('forgotten', true)");
    try {
      Finding idle = ill(clinic.one("replication.slots"), Severity.WARN);
      assertThat(idle.subject()).isEqualTo("forgotten");
      ill(clinic.one("replication.slot-limit"), Severity.WARN);

      clinic.execute("alter system set max_slot_wal_keep_size = '16MB'", "select pg_reload_conf()");
      await()
          .atMost(BOUND)
          .until(
              () -> {
                clinic.execute(
                    "select pg_logical_emit_message(false, 'x', 'y')",
                    "select pg_switch_wal()",
                    "checkpoint");
                return clinic.one("replication.slots").severity() == Severity.FAIL;
              });
      assertThat(clinic.one("replication.slot-limit").severity()).isEqualTo(Severity.OK);
      assertThat(ill(clinic.one("replication.slots"), Severity.FAIL).found()).contains("lost log");
      String remedy = remedy(clinic.one("replication.slots"));
      clinic.execute(remedy.substring(remedy.indexOf("select")));
    } finally {
      clinic.execute("alter system reset max_slot_wal_keep_size", "select pg_reload_conf()");
    }
    assertThat(clinic.one("replication.slots").severity()).isEqualTo(Severity.OK);
  }

  @Test
  void poolerIsFoundByTheProcessThatItMakesUp() throws Exception {
    try (FakePooler pooler = new FakePooler(Clinic.SERVER.port(), false)) {
      String url = "jdbc:postgresql://127.0.0.1:%d/%s?user=postgres";
      clinic.dataSource.setUrl(
          url.formatted(pooler.port(), clinic.database) + "&sslmode=disable&gssEncMode=disable");

      assertThat(ill(clinic.one("pooler.mode"), Severity.WARN).evidence())
          .containsEntry("pid_told", 42)
          .containsEntry("shared", false);
      ill(clinic.one("pooler.listen"), Severity.WARN);
    }
  }

  @Test
  void preparedStatementsThatAPoolerMixesUpAreOneFailure() throws Exception {
    try (FakePooler pooler = new FakePooler(Clinic.SERVER.port(), true)) {
      clinic.dataSource.setPortNumbers(new int[] {pooler.port()});

      assertThat(clinic.examine(Limits.DEFAULT))
          .filteredOn(each -> each.id().equals("pooler.prepared-statements"))
          .hasSize(1)
          .first()
          .satisfies(each -> ill(each, Severity.FAIL));

      clinic.dataSource.setPrepareThreshold(0);
      assertThat(clinic.examine(Limits.DEFAULT))
          .filteredOn(
              each -> each.severity() == Severity.UNKNOWN || each.severity() == Severity.FAIL)
          .isEmpty();
    }
  }
}
