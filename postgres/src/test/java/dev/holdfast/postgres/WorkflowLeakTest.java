package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.Workflows;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What keeps a process from executing what it has taken up, while it keeps its lease. */
final class WorkflowLeakTest extends WorkflowProcesses {
  private static final WorkflowSettings SHORT =
      WorkflowSettings.DEFAULT.withLease(Duration.ofSeconds(1)).withInFlight(4);

  private final Workflow<Order, Receipt> workflow =
      define(
          (flow, order) -> {
            String answer = flow.await("go", String.class, Duration.ofDays(1)).orElse("none");
            return new Receipt(answer);
          });

  private static void parked(Workflows workflows, Workflow<Order, Receipt> workflow, int runs) {
    for (int i = 0; i < runs; i++) {
      workflows.start(workflow, "o-" + i, new Order("o-" + i, i));
    }
    for (int i = 0; i < runs; i++) {
      awaitStatus(workflows, "o-" + i, RunStatus.PARKED);
    }
  }

  @Test
  void aJournalThatCannotBeReadIsStuckAndKeepsNobodyElseFromRunning() throws Exception {
    Workflows workflows = process(pool, SHORT, workflow);
    parked(workflows, workflow, 8);
    execute(
        """
        insert into %1$s.workflow_journal (run, seq, kind, step, note)
        select run, 100, 'REPEAT', 'charge', 'the day before' from %1$s.workflow
        where id in ('o-0', 'o-1', 'o-2', 'o-3', 'o-4');
        insert into %1$s.workflow_signal (run, name, value)
        select run, 'go', '"gone"' from %1$s.workflow
        """
            .formatted(schema));
    for (String id : List.of("o-5", "o-6", "o-7")) {
      assertThat(workflows.result(workflow, id, SOON)).contains(new Receipt("gone"));
    }
    awaitStatus(workflows, "o-0", RunStatus.STUCK);
    assertThat(workflows.reason("o-0").orElseThrow()).contains("REPEAT");
  }

  @Test
  void anErrorInTheMiddleOfATakeoverLosesNoRunAndNoRoom() throws Exception {
    Workflows others = process(pool, SHORT, workflow);
    parked(others, workflow, 8);
    processes.remove(0).close();
    SqlHook error =
        new SqlHook(
            "where run = any (?) order by run, seq",
            () -> {
              throw new NoClassDefFoundError("on purpose, while journals are read");
            });
    Workflows workflows = process(error.around(pool), SHORT, workflow);
    for (int i = 0; i < 8; i++) {
      workflows.signal("o-" + i, "go", "gone");
    }
    for (int i = 0; i < 8; i++) {
      assertThat(workflows.result(workflow, "o-" + i, SOON)).contains(new Receipt("gone"));
    }
    assertThat(error.ran()).isTrue();
  }

  @Test
  void anErrorWhileTheLeaseIsRenewedLosesNoLeaseForGood() throws Exception {
    Workflow<Order, Receipt> quick = define((flow, order) -> new Receipt("done"));
    SqlHook error =
        new SqlHook(
            "and expires_at >",
            () -> {
              throw new NoClassDefFoundError("on purpose, while a lease is renewed");
            });
    Workflows workflows = process(error.around(pool), SHORT, quick);
    Awaitility.await().atMost(SOON).until(error::ran);
    Awaitility.await()
        .atMost(SOON)
        .until(
            () ->
                list("select 1 from %1$s.workflow_executor where expires_at > since + interval '4 s'"
                            .formatted(schema))
                        .size()
                    == 1);
    workflows.start(quick, "o-1", new Order("o-1", 1));
    assertThat(workflows.result(quick, "o-1", SOON)).contains(new Receipt("done"));
  }

  @Test
  void anErrorWhileResultsAreLookedForKeepsNobodyWaiting() throws Exception {
    Workflow<Order, Receipt> quick = define((flow, order) -> new Receipt("done"));
    SqlHook error =
        new SqlHook(
            "where w.id = any (?)",
            () -> {
              throw new NoClassDefFoundError("on purpose, while results are looked for");
            });
    Workflows elsewhere = process(error.around(pool), SHORT);
    Workflows workflows = process(quick);
    workflows.start(quick, "o-1", new Order("o-1", 1));
    assertThat(elsewhere.result(quick, "o-1", SOON)).contains(new Receipt("done"));
    assertThat(error.ran()).isTrue();
  }
}
