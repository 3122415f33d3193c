package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.workflow.RunConflict;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.Workflows;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Starts that come at the same time. */
final class WorkflowStartsTest extends WorkflowProcesses {
  private final AtomicInteger together = new AtomicInteger();
  private final AtomicInteger alone = new AtomicInteger();
  private final CountDownLatch mayBegin = new CountDownLatch(1);
  private final Workflow<Order, Receipt> workflow = define((flow, order) -> new Receipt("done"));

  /** Counts what starts runs, and keeps the first of it until it may begin. */
  private <T> T counting(Class<T> type, T real) {
    return type.cast(
        Proxy.newProxyInstance(
            WorkflowStartsTest.class.getClassLoader(),
            new Class<?>[] {type},
            (self, method, args) -> {
              if (method.getName().equals("prepareStatement")) {
                String sql = (String) args[0];
                if (sql.contains("workflow_start_all(") && together.incrementAndGet() == 1) {
                  mayBegin.await();
                }
                if (sql.contains("workflow_start(")) {
                  alone.incrementAndGet();
                }
              }
              try {
                Object result = method.invoke(real, args);
                return method.getName().equals("getConnection")
                    ? counting(Connection.class, (Connection) result)
                    : result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  private Workflows starter() {
    return process(
        counting(DataSource.class, pool), dev.holdfast.workflow.WorkflowSettings.DEFAULT);
  }

  /** One that is kept, and those that queue up behind it meanwhile. */
  private List<FutureTask<Boolean>> startBehindOne(Workflows workflows, List<String> ids) {
    List<FutureTask<Boolean>> all = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (String id : ids) {
      FutureTask<Boolean> start =
          new FutureTask<>(() -> workflows.start(workflow, id, new Order(id, 1)));
      Thread thread = new Thread(start, "start " + id);
      thread.setDaemon(true);
      thread.start();
      if (all.isEmpty()) {
        Awaitility.await().atMost(SOON).until(() -> together.get() == 1);
      }
      all.add(start);
      threads.add(thread);
    }
    Awaitility.await()
        .atMost(SOON)
        .until(
            () -> threads.stream().allMatch(thread -> thread.getState() == Thread.State.WAITING));
    mayBegin.countDown();
    return all;
  }

  @Test
  void shareACommit() throws Exception {
    List<FutureTask<Boolean>> starts =
        startBehindOne(starter(), List.of("first", "c", "a", "b", "d"));
    for (FutureTask<Boolean> start : starts) {
      assertThat(start.get(20, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(together).hasValue(2);
    assertThat(alone).hasValue(0);
    assertThat(
            list(
                "select count(distinct xmin::text) || ' of ' || count(*) from %s.workflow"
                    .formatted(schema)))
        .containsExactly("2 of 5");
  }

  @Test
  void ofOneIdAreStartedOnceAndOfAnotherInputRefused() throws Exception {
    Workflows workflows = starter();
    FutureTask<Boolean> other =
        new FutureTask<>(() -> workflows.start(workflow, "a", new Order("another", 1)));
    List<FutureTask<Boolean>> starts = startBehindOne(workflows, List.of("first", "a", "a", "b"));
    int made = 0;
    for (FutureTask<Boolean> start : starts) {
      made += start.get(20, TimeUnit.SECONDS) ? 1 : 0;
    }
    assertThat(made).isEqualTo(3);
    other.run();
    assertThatThrownBy(other::get).hasCauseInstanceOf(RunConflict.class);
  }

  @Test
  void oneThatIsRefusedFailsAlone() throws Exception {
    List<FutureTask<Boolean>> starts =
        startBehindOne(starter(), List.of("first", "a", "nul\0", "b"));
    assertThatThrownBy(() -> starts.remove(2).get(20, TimeUnit.SECONDS))
        .hasMessageContaining("start run");
    for (FutureTask<Boolean> start : starts) {
      assertThat(start.get(20, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void oneThatHasToWaitKeepsNobodyElseWaiting() throws Exception {
    Workflows workflows = starter();
    try (Connection holder = pool.getConnection()) {
      holder.setAutoCommit(false);
      try (var statement = holder.createStatement()) {
        statement.execute(
            """
            insert into %s.workflow (id, name, version, input, fingerprint, operation_id)
            values ('b', 'place-order', 1, '{}', '', 'b')
            """
                .formatted(schema));
      }
      List<FutureTask<Boolean>> starts = startBehindOne(workflows, List.of("first", "a", "b", "c"));
      FutureTask<Boolean> waiting = starts.remove(2);
      for (FutureTask<Boolean> start : starts) {
        assertThat(start.get(20, TimeUnit.SECONDS)).isTrue();
      }
      assertThat(waiting.isDone()).isFalse();
      holder.rollback();
      assertThat(waiting.get(20, TimeUnit.SECONDS)).isTrue();
    }
  }
}
