package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.workflow.RunFailed;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.StartOptions;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowQueue;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.Workflows;
import dev.holdfast.workflow.store.WorkflowStore;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What queues let in, while several processes let in at once. */
final class WorkflowQueueTest extends WorkflowProcesses {
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicInteger most = new AtomicInteger();
  private final Map<String, AtomicInteger> byKey = new ConcurrentHashMap<>();
  private final List<String> tooMany = Collections.synchronizedList(new ArrayList<>());

  /** A run that waits in the middle, and keeps its place. Its order's number is its key. */
  private final Workflow<Order, Receipt> workflow =
      define(
          (flow, order) -> {
            String key = String.valueOf(order.cents());
            flow.step("begin")
                .transact(
                    tx -> {
                      most.accumulateAndGet(running.incrementAndGet(), Math::max);
                      if (runningOf(key).incrementAndGet() > 1) {
                        tooMany.add(order.id());
                      }
                    });
            flow.sleep("a while", Duration.ofMillis(20));
            flow.step("end")
                .transact(
                    tx -> {
                      runningOf(key).decrementAndGet();
                      running.decrementAndGet();
                      done.add(order.id());
                    });
            return new Receipt("done");
          });

  private AtomicInteger runningOf(String key) {
    return byKey.computeIfAbsent(key, any -> new AtomicInteger());
  }

  private Workflows process(WorkflowQueue queue) {
    Holdfast holdfast =
        Holdfast.on(pool)
            .schema(schema)
            .schemaManagedElsewhere()
            .workflows(WorkflowSettings.DEFAULT.withPollInterval(Duration.ofMillis(50)))
            .workflow(workflow)
            .workflowQueue(queue)
            .start();
    processes.add(holdfast);
    return holdfast.workflows();
  }

  private void start(Workflows workflows, String id, int key, StartOptions options) {
    workflows.start(
        workflow, id, new Order(id, key), options.withQueue("payments", String.valueOf(key)));
  }

  private void awaitDone(int runs) {
    Awaitility.await().atMost(SOON).untilAsserted(() -> assertThat(done).hasSize(runs));
  }

  @Test
  @Attacks("workflow.queue")
  void letNoMoreInThanTheirConcurrencyInAllProcessesTogether() {
    WorkflowQueue queue = WorkflowQueue.named("payments").withConcurrency(3);
    Workflows one = process(queue);
    Workflows other = process(queue);
    for (int i = 0; i < 40; i++) {
      start(i % 2 == 0 ? one : other, "o-" + i, i, StartOptions.DEFAULT);
    }
    awaitDone(40);
    assertThat(most).hasValue(3);
  }

  @Test
  @Attacks("workflow.queue")
  void letOneInForEachKeyAndKeysTakeTurns() {
    WorkflowQueue queue =
        WorkflowQueue.named("payments").withConcurrency(8).withConcurrencyPerKey(1);
    Workflows one = process(queue);
    process(queue);
    for (int i = 0; i < 20; i++) {
      start(one, "busy-" + i, 0, StartOptions.DEFAULT);
    }
    for (int i = 1; i <= 10; i++) {
      start(one, "o-" + i, i, StartOptions.DEFAULT);
    }
    awaitDone(30);
    assertThat(tooMany).isEmpty();
    // Runs of one key come in the order in which they were started; none waits for a busy one.
    assertThat(done.stream().filter(id -> id.startsWith("busy")).toList())
        .containsExactlyElementsOf(
            java.util.stream.IntStream.range(0, 20).mapToObj(i -> "busy-" + i).toList());
    assertThat(done.lastIndexOf("busy-19")).isEqualTo(29);
  }

  @Test
  @Attacks("workflow.queue")
  void letNoMoreInWithinAnyPeriodThanTheirRate() {
    WorkflowQueue queue = WorkflowQueue.named("payments").withRate(4, Duration.ofMillis(400));
    Workflows one = process(queue);
    process(queue);
    for (int i = 0; i < 12; i++) {
      start(one, "o-" + i, i, StartOptions.DEFAULT);
    }
    awaitDone(12);
    assertThat(
            list(
                """
                select max(n) from (
                  select count(*) as n from %1$s.workflow_state a join %1$s.workflow_state b
                    on b.admitted_at between a.admitted_at and a.admitted_at + interval '399 ms'
                  group by a.run) as windows
                """
                    .formatted(schema)))
        .containsExactly("4");
  }

  @Test
  void keepARunUntilItsTimeAndLetOneThatIsCancelledGo() throws Exception {
    Workflows one = process(WorkflowQueue.named("payments").withConcurrency(1));
    start(one, "later", 1, StartOptions.DEFAULT.withStartAt(Instant.now().plusSeconds(3_600)));
    start(one, "soon", 1, StartOptions.DEFAULT.withStartAt(Instant.now().plusMillis(100)));
    one.start(
        workflow,
        "elsewhere",
        new Order("elsewhere", 9),
        StartOptions.DEFAULT.withQueue("that nobody has"));
    awaitDone(1);
    assertThat(done).containsExactly("soon");
    assertThat(one.status("later")).contains(RunStatus.PARKED);
    assertThat(one.status("elsewhere")).contains(RunStatus.PARKED);
    for (String id : List.of("later", "elsewhere")) {
      assertThat(one.cancel(id, "not needed", "ops")).isTrue();
      assertThatThrownBy(() -> one.result(workflow, id, SOON)).isInstanceOf(RunFailed.class);
    }
    assertThat(done).containsExactly("soon");
  }

  @Test
  void keepARunThatIsRestartedUntilThereIsAPlaceForIt() throws Exception {
    Workflow<Order, Receipt> waiting =
        Workflow.define(
            "wait",
            1,
            Order.class,
            Receipt.class,
            (flow, order) ->
                new Receipt(flow.await("go", String.class, Duration.ofDays(1)).orElse("nothing")));
    Holdfast holdfast =
        Holdfast.on(pool)
            .schema(schema)
            .schemaManagedElsewhere()
            .workflows(WorkflowSettings.DEFAULT.withPollInterval(Duration.ofMillis(50)))
            .workflow(workflow)
            .workflow(waiting)
            .workflowQueue(WorkflowQueue.named("payments").withConcurrency(1))
            .start();
    processes.add(holdfast);
    Workflows one = holdfast.workflows();
    start(one, "first", 1, StartOptions.DEFAULT);
    assertThat(one.result(workflow, "first", SOON)).isPresent();
    one.start(
        waiting, "second", new Order("second", 2), StartOptions.DEFAULT.withQueue("payments"));
    Awaitility.await().atMost(SOON).until(() -> journal().contains("WAIT go"));

    assertThat(one.restart("first", "", "ops", "once more")).isTrue();
    // Who comes behind it in another way has been executed, so this could have been.
    one.start(workflow, "third", new Order("third", 3));
    assertThat(one.result(workflow, "third", SOON)).isPresent();
    assertThat(one.status("first")).contains(RunStatus.PARKED);
    assertThat(done).containsExactly("first", "third");
    assertThat(PostgresStore.open(pool, schema).runs().queues())
        .singleElement()
        .matches(queue -> queue.waiting() == 1 && queue.underWay() == 1);

    assertThat(one.signal("second", "go", "now")).isTrue();
    assertThat(one.result(workflow, "first", SOON)).isPresent();
    assertThat(done).containsExactly("first", "third", "first");
  }

  @Test
  void askAboutKeysThatAreFullOnceAndNotWithoutEnd() throws Exception {
    WorkflowStore store = PostgresStore.open(pool, schema).workflows();
    WorkflowQueue queue = WorkflowQueue.named("payments").withConcurrencyPerKey(1);
    startTwoOfEachKey(1, 2_300);
    assertThat(admitAllThereIs(store, queue)).isEqualTo(2_300);
    // All that is left waits for others of its key.
    assertThat(admitAllThereIs(store, queue)).isZero();
    startTwoOfEachKey(0, 0);
    startTwoOfEachKey(9_999, 9_999);
    assertThat(admitAllThereIs(store, queue) + admitAllThereIs(store, queue)).isEqualTo(2);
  }

  private void startTwoOfEachKey(int from, int to) throws SQLException {
    execute(
        """
        select %1$s.workflow_start(key || '-' || n, 'place-order', 1, '{}', 'o', '{}', null, null, null,
                                   'payments', lpad(key::text, 4, '0'), null, null, null)
        from generate_series(%2$d, %3$d) as key, generate_series(1, 2) as n
        """
            .formatted(schema, from, to));
  }

  /** As long as there may be more; that is a loop without a wait for whoever asks. */
  private static int admitAllThereIs(WorkflowStore store, WorkflowQueue queue) {
    int admitted = 0;
    for (int i = 0; i < 10; i++) {
      WorkflowStore.Admission admission = store.admit(queue, List.of("place-order/1"), 10_000);
      admitted += admission.admitted();
      if (!admission.isMore()) {
        return admitted;
      }
    }
    throw new AssertionError("there is more without end, and " + admitted + " were let in");
  }

  @Test
  void areRefusedWithBoundsThatCannotBe() {
    assertThatThrownBy(() -> WorkflowQueue.named("payments").withConcurrency(0))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("concurrency of queue payments is 0");
    assertThatThrownBy(() -> WorkflowQueue.named("Payments!"))
        .isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> WorkflowQueue.named("payments").withRate(1, Duration.ZERO))
        .isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(
            () ->
                Holdfast.on(pool)
                    .schema(schema)
                    .schemaManagedElsewhere()
                    .workflow(workflow)
                    .workflows(WorkflowSettings.DEFAULT.withKeepEnded(Duration.ZERO))
                    .workflowQueue(WorkflowQueue.named("payments").withRate(1, Duration.ofDays(1)))
                    .start())
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("keepEnded");
  }
}
