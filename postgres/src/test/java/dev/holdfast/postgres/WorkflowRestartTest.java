package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.Workflows;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Runs that a person has begin anew from an earlier step. */
final class WorkflowRestartTest extends WorkflowProcesses {
  private final List<String> keys = Collections.synchronizedList(new ArrayList<>());
  private final AtomicInteger broken = new AtomicInteger();

  private final Workflow<Order, Receipt> child =
      Workflow.define(
          "ship", 1, Order.class, Receipt.class, (flow, order) -> new Receipt(flow.id()));

  private final Workflow<Order, Receipt> workflow =
      define(
          (flow, order) -> {
            flow.step("reserve", String.class)
                .compensate((tx, hold) -> done.add("cancel " + hold))
                .transact(tx -> "hold " + done.size());
            flow.step("charge", String.class)
                .keyKeptFor(Duration.ofDays(1))
                .call(
                    key -> {
                      keys.add(key);
                      return key;
                    });
            Receipt shipped = flow.child("ship", child, order);
            flow.step("confirm")
                .transact(
                    tx -> {
                      if (broken.get() > 0) {
                        throw new IllegalStateException("broken");
                      }
                      done.add("confirm");
                    });
            return shipped;
          });

  @Test
  void doTheStepsFromThereOnAgainUnderNewKeysAndNoOthers() throws Exception {
    Workflows workflows = process(workflow, child);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("o-1/ship"));
    assertThat(workflows.restart("o-1", "charge", "ops", "the provider has lost it")).isTrue();
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("o-1/ship@1"));
    assertThat(keys).hasSize(2).doesNotHaveDuplicates();
    assertThat(done).containsExactly("confirm", "confirm");
    assertThat(workflows.restart("o-1", "confirm", "ops", "once more")).isTrue();
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("o-1/ship@1"));
    assertThat(keys).hasSize(2);
    assertThat(done).hasSize(3);
    assertThat(list("select action from " + schema + ".workflow_audit order by at"))
        .containsExactly("restart charge", "restart confirm");
  }

  @Test
  void areRefusedWhereWhatComesBeforeIsUndoneAndBeginFromTheBeginningAllTheSame() throws Exception {
    broken.set(1);
    Workflows workflows = process(workflow, child);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    assertThatThrownBy(() -> workflows.result(workflow, "o-1", SOON))
        .hasMessageContaining("broken");
    assertThat(workflows.status("o-1")).contains(RunStatus.FAILED);
    assertThat(done).containsExactly("cancel hold 0");
    broken.set(0);
    assertThatThrownBy(() -> workflows.restart("o-1", "confirm", "ops", "mended"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("undone");
    assertThatThrownBy(() -> workflows.restart("o-1", "teleport", "ops", "mended"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("no step teleport")
        .hasMessageContaining("confirm");
    assertThatThrownBy(() -> workflows.restart("o-1/ship", "", "ops", "mended"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("another run has started it");
    assertThat(workflows.status("o-1")).contains(RunStatus.FAILED);
    assertThat(workflows.restart("o-1", "", "ops", "mended")).isTrue();
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("o-1/ship@1"));
    assertThat(keys).hasSize(2).doesNotHaveDuplicates();
    assertThat(done).containsExactly("cancel hold 0", "confirm");
    assertThat(workflows.restart("nobody", "", "ops", "mended")).isFalse();
  }
}
