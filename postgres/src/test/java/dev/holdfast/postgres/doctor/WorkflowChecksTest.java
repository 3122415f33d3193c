package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Clinic.ill;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.workflow.store.WorkflowStore;
import dev.holdfast.workflow.store.WorkflowStore.Append;
import dev.holdfast.workflow.store.WorkflowStore.Change;
import dev.holdfast.workflow.store.WorkflowStore.NewRun;
import dev.holdfast.workflow.store.WorkflowStore.Started;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Runs of workflows and reservations, each ill once. */
final class WorkflowChecksTest {
  private final Clinic clinic = Clinic.healthy();

  private Started start(String id, @Nullable String queue, @Nullable Long executor) {
    return clinic
        .store
        .workflows()
        .startAlone(
            new NewRun(
                id,
                "place-order",
                1,
                "{}",
                id,
                Map.of(),
                null,
                null,
                null,
                queue,
                null,
                null,
                null),
            executor);
  }

  @Test
  void databaseWhereNothingWaitsIsWell() {
    start("o-1", null, null);
    start("o-2", "payments", null);
    for (String id :
        List.of("workflow.stuck", "workflow.due", "workflow.queue", "reservation.overdue")) {
      assertThat(clinic.one(id).severity()).as(id).isEqualTo(Severity.OK);
    }
  }

  @Test
  void runThatIsStuckIsNamedWithWhyAndWhatToType() {
    WorkflowStore store = clinic.store.workflows();
    long executor = store.register("a test", Duration.ofMinutes(1));
    Started started = start("o 1", null, executor);
    store.append(
        executor,
        List.of(
            new Append(
                started.run(),
                1,
                List.of(),
                List.of(),
                List.of(),
                new Change.Stick("the provider is silent", null))));

    Finding stuck = ill(clinic.one("workflow.stuck"), Severity.WARN);
    assertThat(stuck.subject()).isEqualTo("place-order/1");
    assertThat(stuck.found()).contains("1 run(s)").contains("o 1: the provider is silent");
    assertThat(stuck.remedy()).contains("holdfast workflow show 'o 1'");
  }

  @Test
  void runThatNobodyTakesUpOrLetsInIsTold() throws SQLException {
    start("o-1", null, null);
    start("o-2", "payments", null);
    clinic.execute("update holdfast.workflow_state set due_at = holdfast.now() - interval '300 s'");

    Finding due = ill(clinic.one("workflow.due"), Severity.WARN);
    assertThat(due.subject()).isEqualTo("place-order/1");
    assertThat(due.found()).contains("1 run(s)").containsPattern("for 30\\d s");
    Finding queue = ill(clinic.one("workflow.queue"), Severity.WARN);
    assertThat(queue.subject()).isEqualTo("payments");
    assertThat(queue.remedy()).contains("workflowQueue");
  }

  @Test
  void reservationThatNobodyGivesBackIsTold() throws SQLException {
    clinic.execute(
        """
        insert into holdfast.reservation (id, state, stocks, quantities, reserved_at, expires_at)
        values ('r-1', 'HELD', '{a}', '{1}', holdfast.now(), holdfast.now() - interval '300 s')
        """);
    Finding overdue = ill(clinic.one("reservation.overdue"), Severity.WARN);
    assertThat(overdue.found()).contains("1 reservation(s)").containsPattern("30\\d s ago");
  }
}
