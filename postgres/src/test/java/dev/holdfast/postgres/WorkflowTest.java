package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.workflow.Rejected;
import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.RunConflict;
import dev.holdfast.workflow.RunFailed;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Seen;
import dev.holdfast.workflow.StartOptions;
import dev.holdfast.workflow.StepFailed;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.Workflows;
import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.WorkflowStore;
import dev.holdfast.workflow.store.WorkflowStore.Change;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What workflows do when nothing is in their way, and when a process or a call fails. */
final class WorkflowTest extends WorkflowProcesses {

  @Test
  void runsItsStepsAndReturnsTheirResult() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              int tax = flow.step("tax", Integer.class).compute(() -> order.cents() / 5);
              insert(flow, "reserve");
              String charge =
                  flow.step("charge", String.class)
                      .keyKeptFor(Duration.ofDays(1))
                      .call(key -> "charged " + (order.cents() + tax));
              flow.pivot();
              insert(flow, "confirm");
              return new Receipt(charge);
            });
    Workflows workflows = process(workflow);

    assertThat(workflows.start(workflow, "o-1", new Order("o-1", 100))).isTrue();

    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("charged 120"));
    assertThat(entries()).containsExactly("confirm", "reserve");
    assertThat(journal())
        .containsExactly(
            "RESULT tax",
            "RESULT reserve",
            "RESULT charge",
            "PIVOT pivot",
            "RESULT confirm",
            "COMPLETED ");
    assertThat(workflows.start(workflow, "o-1", new Order("o-1", 100))).isFalse();
    assertThatThrownBy(() -> workflows.start(workflow, "o-1", new Order("o-1", 101)))
        .isInstanceOf(RunConflict.class);
  }

  @Test
  @Attacks("workflow.undo")
  void undoesInReverseOrderWhatWasDone() {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.step("reserve", String.class)
                  .compensate((tx, hold) -> done.add("cancel " + hold))
                  .transact(tx -> "hold");
              flow.step("charge", String.class)
                  .compensateByKey((key, charge) -> done.add("refund " + charge.orElse("?")))
                  .call(key -> "charge");
              flow.step("ship", String.class)
                  .compensateByKey((key, parcel) -> done.add("recall " + parcel.orElse("?")))
                  .call(
                      key -> {
                        throw new java.io.IOException("connection reset");
                      });
              return new Receipt("never");
            });
    Workflows workflows = process(workflow);

    workflows.start(workflow, "o-1", new Order("o-1", 1));

    assertThatThrownBy(() -> workflows.result(workflow, "o-1", SOON))
        .isInstanceOf(RunFailed.class)
        .hasMessageContaining("ship")
        .hasMessageContaining("connection reset");
    assertThat(done).containsExactly("recall ?", "refund charge", "cancel hold");
    assertThat(journal())
        .containsExactly(
            "RESULT reserve",
            "INTENT charge",
            "RESULT charge",
            "INTENT ship",
            "UNKNOWN ship",
            "UNWINDING ",
            "UNDONE ship",
            "UNDONE charge",
            "UNDONE reserve",
            "FAILED ");
  }

  @Test
  void takesAnotherWayWhereAStepWasRejected() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              try {
                return new Receipt(
                    flow.step("card", String.class)
                        .parkUnknown()
                        .call(
                            key -> {
                              throw new Rejected("declined");
                            }));
              } catch (StepFailed e) {
                return new Receipt(flow.step("invoice", String.class).compute(e::reason));
              }
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("declined"));
  }

  @Test
  @Attacks("workflow.call.lookup")
  void asksWhatBecameOfACallAndBelievesSilenceOnlyLater() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    AtomicInteger lookups = new AtomicInteger();
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) ->
                new Receipt(
                    flow.step("charge", String.class)
                        .lookup(
                            key ->
                                lookups.incrementAndGet() >= 3 && calls.get() == 2
                                    ? Seen.happened("found")
                                    : Seen.notYet())
                        .settleAfter(Duration.ofMillis(300))
                        .retry(QUICK)
                        .call(
                            key -> {
                              calls.incrementAndGet();
                              throw new java.io.IOException("lost");
                            })));
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("found"));
    assertThat(calls).hasValue(2);
    assertThat(journal().stream().filter("INTENT charge"::equals)).hasSize(2);
  }

  @Test
  @Attacks({"workflow.call.unknown", "workflow.call.person"})
  void leavesToAPersonWhatItCannotFindOut() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) ->
                new Receipt(
                    flow.step("charge", String.class)
                        .parkUnknown()
                        .call(
                            key -> {
                              throw new java.io.IOException("lost");
                            })));
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    assertThat(workflows.reason("o-1").orElseThrow()).contains("charge", "lost");

    workflows.resolveHappened("o-1", "charge", "by hand", "ops", "seen in the provider's console");

    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("by hand"));
  }

  @Test
  @Attacks("workflow.parked")
  void waitsForTimesSignalsAndChildrenWithoutAThread() throws Exception {
    Workflow<Order, Receipt> child =
        Workflow.define(
            "ship", 1, Order.class, Receipt.class, (flow, order) -> new Receipt("shipped"));
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.sleep("cool-off", Duration.ofMillis(100));
              Optional<String> approved = flow.await("approval", String.class, SOON);
              Optional<String> never = flow.await("never", String.class, Duration.ofMillis(50));
              Receipt shipped = flow.child("ship", child, order);
              return new Receipt(approved.orElse("") + never.isPresent() + shipped.text());
            });
    Workflows workflows = process(workflow, child);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    Awaitility.await()
        .atMost(SOON)
        .until(
            () ->
                !list("select 1 from "
                        + schema
                        + ".workflow_state where 'approval' = any (waits_for)")
                    .isEmpty());
    assertThat(workflows.signal("o-1", "approval", "yes ")).isTrue();
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("yes falseshipped"));
    assertThat(workflows.signal("o-1", "approval", "late")).isFalse();
  }

  @Test
  void doesSeveralThingsAtOnceAndUndoesAllOfThem() {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              List<String> all =
                  flow.parallel(
                      "pack",
                      List.of("a", "b", "c"),
                      (branch, item) ->
                          branch
                              .step("box", String.class)
                              .compensate((tx, box) -> done.add("unpack " + box))
                              .transact(tx -> item));
              throw new IllegalStateException(String.join("", all));
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    assertThatThrownBy(() -> workflows.result(workflow, "o-1", SOON))
        .hasMessageContaining("IllegalStateException: abc");
    assertThat(done).containsExactlyInAnyOrder("unpack a", "unpack b", "unpack c");
  }

  @Test
  @Attacks("workflow.undo")
  void isCancelledAtItsNextStepAndUndone() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.step("reserve", String.class)
                  .compensate((tx, hold) -> done.add("cancel " + hold))
                  .transact(tx -> "hold");
              flow.sleep("long", Duration.ofDays(30));
              return new Receipt("never");
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.PARKED);
    assertThat(workflows.cancel("o-1", "the customer changed her mind", "support")).isTrue();
    awaitStatus(workflows, "o-1", RunStatus.CANCELLED);
    assertThat(done).containsExactly("cancel hold");

    workflows.start(
        workflow,
        "o-2",
        new Order("o-2", 1),
        StartOptions.DEFAULT.withDeadline(Duration.ofMillis(300)));
    awaitStatus(workflows, "o-2", RunStatus.CANCELLED);
    assertThat(workflows.reason("o-2").orElseThrow()).contains("deadline");
  }

  @Test
  @Attacks("workflow.start")
  void startsWithTheTransactionThatStartsIt() throws Exception {
    Workflow<Order, Receipt> workflow = define((flow, order) -> new Receipt("ran"));
    Workflows workflows = process(workflow);
    Holdfast holdfast = processes.get(0);
    assertThatThrownBy(
            () ->
                holdfast.transact(
                    tx -> {
                      workflows.start(tx, workflow, "o-1", new Order("o-1", 1));
                      throw new IllegalStateException("changed my mind");
                    }))
        .hasMessage("changed my mind");
    assertThat(workflows.status("o-1")).isEmpty();
    holdfast.transact(tx -> workflows.start(tx, workflow, "o-1", new Order("o-1", 1)));
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("ran"));
  }

  @Test
  @Attacks("workflow.alone")
  void stopsWhereTheFunctionHasChanged() {
    Workflow<Order, Receipt> before =
        define(
            (flow, order) -> {
              insert(flow, "first");
              flow.await("go", String.class, Duration.ofDays(1));
              return new Receipt("before");
            });
    Workflow<Order, Receipt> after =
        define(
            (flow, order) -> {
              insert(flow, "other");
              return new Receipt("after");
            });
    Workflows old = process(before);
    old.start(before, "o-1", new Order("o-1", 1));
    awaitStatus(old, "o-1", RunStatus.PARKED);
    processes.remove(0).close();

    Workflows next = process(after);
    next.signal("o-1", "go", "now");

    awaitStatus(next, "o-1", RunStatus.STUCK);
    assertThat(next.reason("o-1").orElseThrow()).contains("first", "other");
    assertThat(entries()).containsExactly("first");
  }

  @Test
  @Attacks({"workflow.recovery", "workflow.fence"})
  void goesOnElsewhereWhenItsProcessIsGoneAndNothingIsWrittenByTheOneThatWakesUp()
      throws Exception {
    CountDownLatch paused = new CountDownLatch(1);
    CountDownLatch wakeUp = new CountDownLatch(1);
    AtomicReference<String> first = new AtomicReference<>();
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              insert(flow, "a");
              String charge =
                  flow.step("charge", String.class)
                      .keyKeptFor(Duration.ofDays(1))
                      .call(
                          key -> {
                            if (first.compareAndSet(null, key)) {
                              paused.countDown();
                              wakeUp.await(60, TimeUnit.SECONDS);
                              return "by the first";
                            }
                            assertThat(key).isEqualTo(first.get());
                            return "by the second";
                          });
              insert(flow, "b");
              return new Receipt(charge);
            });
    WorkflowSettings settings = WorkflowSettings.DEFAULT.withLease(Duration.ofSeconds(1));
    try (TcpRelay network = TcpRelay.to("127.0.0.1", TestDatabase.server().port());
        HikariDataSource remote =
            TestDatabase.pool(
                "jdbc:postgresql://127.0.0.1:"
                    + network.port()
                    + "/postgres?user=postgres&sslmode=disable&gssEncMode=disable&socketTimeout=2",
                5)) {
      Workflows owner = process(remote, settings, workflow);
      owner.start(workflow, "o-1", new Order("o-1", 1));
      assertThat(paused.await(20, TimeUnit.SECONDS)).isTrue();
      network.cut();

      Workflows other = process(pool, settings, workflow);
      assertThat(other.result(workflow, "o-1", SOON)).contains(new Receipt("by the second"));
      network.restore();
      wakeUp.countDown();
      processes.remove(0).close();
    }
    assertThat(entries()).containsExactly("a", "b");
    assertThat(journal())
        .containsExactly("RESULT a", "REPEAT charge", "RESULT charge", "RESULT b", "COMPLETED ");
  }

  @Test
  @Attacks("workflow.stuck")
  void leavesToAPersonWhatCannotBeUndone() throws Exception {
    AtomicInteger refusals = new AtomicInteger();
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.step("reserve", String.class)
                  .compensate((tx, hold) -> done.add("cancel " + hold))
                  .transact(tx -> "hold");
              flow.step("charge", String.class)
                  .compensateByKey(
                      (key, charge) -> {
                        refusals.incrementAndGet();
                        throw new java.io.IOException("the provider is down");
                      })
                  .retryCompensation(QUICK)
                  .call(key -> "charge");
              throw new IllegalStateException("out of stock");
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    assertThat(refusals).hasValue(5);
    assertThat(done).isEmpty();
    assertThat(workflows.reason("o-1").orElseThrow()).contains("charge", "the provider is down");

    assertThat(workflows.skipUndo("o-1", "charge", "ops", "refunded by hand")).isTrue();

    awaitStatus(workflows, "o-1", RunStatus.FAILED);
    assertThat(done).containsExactly("cancel hold");
    assertThat(list("select who || ': ' || note from " + schema + ".workflow_audit"))
        .containsExactly("ops: refunded by hand");
  }

  @Test
  @Attacks({"workflow.pivot", "workflow.stuck"})
  void undoesNothingBehindThePivot() throws Exception {
    AtomicInteger attempts = new AtomicInteger();
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.step("reserve", String.class)
                  .compensate((tx, hold) -> done.add("cancel " + hold))
                  .transact(tx -> "hold");
              flow.pivot();
              flow.step("confirm")
                  .transact(
                      tx -> {
                        if (attempts.incrementAndGet() == 1) {
                          throw new IllegalStateException("not now");
                        }
                      });
              return new Receipt("confirmed");
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    assertThat(done).isEmpty();
    assertThat(workflows.retry("o-1", "ops", "mended")).isTrue();
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("confirmed"));
    assertThat(attempts).hasValue(2);
    assertThat(PostgresStore.open(pool, schema).workflows().forget(Duration.ZERO, 10)).isOne();
    assertThat(workflows.status("o-1")).isEmpty();
    assertThat(journal()).isEmpty();
  }

  record Knot(List<Knot> strands) {}

  @Test
  @Attacks("workflow.alone")
  void isStuckWithAResultThatCannotBeRecordedAndKeepsNobodyElseFromRunning() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              if (order.cents() == 0) {
                List<Knot> strands = new ArrayList<>();
                flow.step("tie", Knot.class)
                    .compute(
                        () -> {
                          Knot knot = new Knot(strands);
                          strands.add(knot);
                          return knot;
                        });
              }
              return new Receipt("fine");
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "bad", new Order("bad", 0));
    workflows.start(workflow, "good", new Order("good", 1));
    assertThat(workflows.result(workflow, "good", SOON)).contains(new Receipt("fine"));
    Awaitility.await()
        .atMost(SOON)
        .until(() -> workflows.status("bad").filter(s -> s != RunStatus.RUNNING).isPresent());
    assertThat(workflows.reason("bad").orElseThrow()).contains("Knot");
    assertThatThrownBy(
            () ->
                workflows.start(
                    Workflow.define("large", 1, String.class, String.class, (flow, input) -> input),
                    "large",
                    "x".repeat(1_000_001)))
        .isInstanceOf(dev.holdfast.UnreadableData.class)
        .hasMessageContaining("1,000,000");
  }

  @Test
  @Attacks("workflow.recovery")
  void handsOverAtOnceWhatACloseInterrupts() throws Exception {
    CountDownLatch calling = new CountDownLatch(1);
    AtomicInteger calls = new AtomicInteger();
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              insert(flow, "a");
              flow.step("slow", String.class)
                  .keyKeptFor(Duration.ofDays(1))
                  .call(
                      key -> {
                        calls.incrementAndGet();
                        calling.countDown();
                        return key;
                      });
              flow.sleep("a while", Duration.ofMillis(100));
              insert(flow, "b");
              return new Receipt("done");
            });
    Workflows first = process(workflow);
    first.start(workflow, "o-1", new Order("o-1", 1));
    assertThat(calling.await(20, TimeUnit.SECONDS)).isTrue();
    processes.remove(0).close();
    Workflows second = process(workflow);
    long begun = dev.holdfast.internal.Doorbell.nanos();
    assertThat(second.result(workflow, "o-1", SOON)).contains(new Receipt("done"));
    // A lease is ten seconds.
    assertThat(dev.holdfast.internal.Doorbell.since(begun)).isLessThan(Duration.ofSeconds(8));
    assertThat(entries()).containsExactly("a", "b");
    assertThat(calls).hasValue(1);
  }

  @Test
  @Attacks("workflow.step")
  void recordsWhatCameBeforeACommitThatWasLostBeforeItDoesItAgain() throws Exception {
    AtomicInteger computed = new AtomicInteger();
    AtomicInteger commits = new AtomicInteger();
    WorkflowSettings settings = WorkflowSettings.DEFAULT.withLease(Duration.ofSeconds(1));
    try (TcpRelay network = TcpRelay.to("127.0.0.1", TestDatabase.server().port());
        HikariDataSource remote =
            TestDatabase.pool(
                "jdbc:postgresql://127.0.0.1:"
                    + network.port()
                    + "/postgres?user=postgres&sslmode=disable&gssEncMode=disable&socketTimeout=2",
                5)) {
      CountDownLatch gone = new CountDownLatch(1);
      Workflow<Order, Receipt> workflow =
          define(
              (flow, order) -> {
                int tax = flow.step("tax", Integer.class).compute(computed::incrementAndGet);
                flow.step("confirm")
                    .transact(
                        tx -> {
                          tx.update("insert into " + schema + ".entry values ('confirm')");
                          if (commits.incrementAndGet() == 1) {
                            // The commit does not arrive, and what asks about it does.
                            network.cut();
                            network.restore();
                          } else if (commits.get() == 2) {
                            network.cut();
                            gone.countDown();
                          }
                        });
                return new Receipt("tax " + tax);
              });
      process(remote, settings, workflow).start(workflow, "o-1", new Order("o-1", 1));
      assertThat(gone.await(20, TimeUnit.SECONDS)).isTrue();

      Workflows other = process(pool, settings, workflow);
      awaitStatus(other, "o-1", RunStatus.COMPLETED);
      assertThat(other.result(workflow, "o-1", SOON)).contains(new Receipt("tax 1"));
      processes.remove(0).close();
    }
    assertThat(computed).hasValue(1);
    assertThat(entries()).containsExactly("confirm");
    assertThat(journal())
        .containsExactly("RESULT tax", "ATTEMPT confirm", "RESULT confirm", "COMPLETED ");
  }

  @Test
  @Attacks({"workflow.call.key", "workflow.call.unknown"})
  void doesNotRepeatUnderAKeyThatMayBeForgotten() throws Exception {
    CountDownLatch calling = new CountDownLatch(1);
    AtomicInteger calls = new AtomicInteger();
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) ->
                new Receipt(
                    flow.step("charge", String.class)
                        .keyKeptFor(Duration.ofSeconds(1))
                        .call(
                            key -> {
                              calls.incrementAndGet();
                              calling.countDown();
                              new CountDownLatch(1).await();
                              return "never";
                            })));
    WorkflowSettings settings = WorkflowSettings.DEFAULT.withLease(Duration.ofSeconds(1));
    try (TcpRelay network = TcpRelay.to("127.0.0.1", TestDatabase.server().port());
        HikariDataSource remote =
            TestDatabase.pool(
                "jdbc:postgresql://127.0.0.1:"
                    + network.port()
                    + "/postgres?user=postgres&sslmode=disable&gssEncMode=disable&socketTimeout=2",
                5)) {
      process(remote, settings, workflow).start(workflow, "o-1", new Order("o-1", 1));
      assertThat(calling.await(20, TimeUnit.SECONDS)).isTrue();
      network.cut();

      Workflows other = process(pool, settings, workflow);
      awaitStatus(other, "o-1", RunStatus.STUCK);
      // Nothing has been found out meanwhile.
      other.retry("o-1", "ops", "again");
      Awaitility.await()
          .atMost(SOON)
          .untilAsserted(
              () -> assertThat(journal().stream().filter("RESUMED "::equals)).hasSize(1));
      awaitStatus(other, "o-1", RunStatus.STUCK);
      other.resolveHappened("o-1", "charge", "seen", "ops", "in the provider's console");
      assertThat(other.result(workflow, "o-1", SOON)).contains(new Receipt("seen"));
      processes.remove(0).close();
    }
    assertThat(calls).hasValue(1);
  }

  @Test
  @Attacks("workflow.call.undone")
  void findsOutWhatBecameOfACallBeforeItIsUndone() {
    AtomicInteger lookups = new AtomicInteger();
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) ->
                new Receipt(
                    flow.step("charge", String.class)
                        .lookup(
                            key ->
                                lookups.incrementAndGet() < 4
                                    ? Seen.notYet()
                                    : Seen.happened("late"))
                        .settleAfter(Duration.ofDays(1))
                        .retry(Retry.CALL.withWaits(Duration.ofMillis(1_200), SOON))
                        .compensate((key, charge) -> done.add("refund " + charge.orElse("?")))
                        .call(
                            key -> {
                              throw new java.io.IOException("lost");
                            })));
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    Awaitility.await().atMost(SOON).until(() -> lookups.get() > 0);
    workflows.cancel("o-1", "too late", "support");
    awaitStatus(workflows, "o-1", RunStatus.CANCELLED);
    assertThat(done).containsExactly("refund late");
  }

  @Test
  @Attacks("workflow.call.unknown")
  void leavesNoBranchBehindInDoubt() {
    AtomicInteger lookups = new AtomicInteger();
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.parallel(
                  "both",
                  List.of("fails", "charges"),
                  (branch, item) -> {
                    if (item.equals("fails")) {
                      throw new IllegalStateException("out of stock");
                    }
                    return branch
                        .step("charge", String.class)
                        .lookup(
                            key ->
                                lookups.incrementAndGet() < 3
                                    ? Seen.notYet()
                                    : Seen.happened("found"))
                        .settleAfter(Duration.ofDays(1))
                        .retry(Retry.CALL.withWaits(Duration.ofMillis(2_100), SOON))
                        .compensate((key, charge) -> done.add("refund " + charge.orElse("?")))
                        .call(
                            key -> {
                              throw new java.io.IOException("lost");
                            });
                  });
              return new Receipt("never");
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.FAILED);
    assertThat(workflows.reason("o-1").orElseThrow()).contains("out of stock");
    assertThat(done).containsExactly("refund found");
  }

  @Test
  @Attacks("workflow.call.undone")
  void undoesWhatWasGivenUpAsUnknownAlsoWhereTheFunctionGoesAnotherWay() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              try {
                flow.step("card", String.class)
                    .compensateByKey((key, charge) -> done.add("refund " + charge.orElse("?")))
                    .call(
                        key -> {
                          throw new java.io.IOException("lost");
                        });
              } catch (StepFailed e) {
                assertThat(e.kind()).isEqualTo(StepFailed.Kind.UNKNOWN);
              }
              return new Receipt(flow.step("invoice", String.class).compute(() -> "invoice"));
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("invoice"));
    assertThat(done).containsExactly("refund ?");
  }

  @Test
  void doesOverWhatWasRejectedLastInEveryBranchWhenAPersonLetsItGoOn() throws Exception {
    AtomicInteger broken = new AtomicInteger(1);
    CountDownLatch rejected = new CountDownLatch(1);
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.pivot();
              try {
                flow.step("try", String.class)
                    .transact(
                        tx -> {
                          throw new IllegalStateException("no");
                        });
              } catch (StepFailed e) {
                insert(flow, "instead");
              }
              List<String> all =
                  flow.parallel(
                      "pack",
                      List.of("a", "b"),
                      (branch, item) ->
                          branch
                              .step("box", String.class)
                              .transact(
                                  tx -> {
                                    if (item.equals("a") && broken.get() > 0) {
                                      rejected.countDown();
                                      throw new IllegalStateException("not now");
                                    }
                                    Awaitility.await().until(() -> rejected.getCount() == 0);
                                    return item;
                                  }));
              return new Receipt(String.join("", all));
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    broken.set(0);
    assertThat(workflows.retry("o-1", "ops", "mended")).isTrue();
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("ab"));
    assertThat(entries()).containsExactly("instead");
  }

  @Test
  @Attacks("workflow.alone")
  void isStuckWithAnEntryOfALaterVersionAndKeepsNobodyElseFromRunning() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.await("go", String.class, SOON);
              return new Receipt("went");
            });
    Workflows workflows = process(workflow);
    for (String id : List.of("o-1", "o-2")) {
      workflows.start(workflow, id, new Order(id, 1));
      awaitStatus(workflows, id, RunStatus.PARKED);
    }
    execute(
        """
        insert into %1$s.workflow_journal (run, seq, kind)
        select run, 100, 'TELEPORTED' from %1$s.workflow where id = 'o-1';
        insert into %1$s.workflow_signal (run, name, value)
        select run, 'go', '"yes"' from %1$s.workflow
        """
            .formatted(schema));
    assertThat(workflows.result(workflow, "o-2", SOON)).contains(new Receipt("went"));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    assertThat(workflows.reason("o-1").orElseThrow()).contains("TELEPORTED");
  }

  @Test
  void beginsAtOnceBehindTheCommitThatStartsIt() throws Exception {
    Workflow<Order, Receipt> workflow = define((flow, order) -> new Receipt("done"));
    Holdfast holdfast =
        Holdfast.on(pool)
            .schema(schema)
            .schemaManagedElsewhere()
            .workflows(WorkflowSettings.DEFAULT.withPollInterval(Duration.ofMinutes(1)))
            .workflow(workflow)
            .start();
    processes.add(holdfast);
    holdfast.transact(tx -> holdfast.workflows().start(tx, workflow, "o-1", new Order("o-1", 1)));
    assertThat(holdfast.workflows().result(workflow, "o-1", SOON)).contains(new Receipt("done"));
  }

  @Test
  @Attacks("workflow.fence")
  void aCopyOfWhatAnEarlierTurnHasSentHasNoEffectInALaterOne() {
    WorkflowStore store = PostgresStore.open(pool, schema).workflows();
    long executor = store.register("a test", Duration.ofMinutes(1));
    store.startAlone(
        new WorkflowStore.NewRun(
            "o-1",
            "place-order",
            1,
            "{}",
            "o-1",
            Map.of(),
            null,
            null,
            null,
            null,
            null,
            null,
            null),
        null);
    WorkflowStore.Claimed first = claim(store, executor);
    WorkflowStore.Append park = appendOf(first, 1, new Change.Park(null, List.of("go")));
    assertThat(store.append(executor, List.of(park))).containsKey(first.run());
    store.signalAlone("o-1", "go", "1");
    WorkflowStore.Claimed second = claim(store, executor);
    assertThat(second.turn()).isEqualTo(first.turn() + 1);

    // Its reply was lost, and it arrives once more.
    assertThat(store.append(executor, List.of(park))).isEmpty();
    assertThat(store.statuses(List.of("o-1")).values())
        .singleElement()
        .matches(status -> status.status() == RunStatus.RUNNING);
    WorkflowStore.Append next = appendOf(second, 2, new Change.Keep());
    assertThat(store.append(executor, List.of(next))).containsKey(first.run());

    // And one that executes it anew leaves nothing to what was sent before.
    WorkflowStore.Claimed third = store.retake(executor, first.run()).orElseThrow();
    assertThat(store.append(executor, List.of(appendOf(second, 3, new Change.Keep())))).isEmpty();
    assertThat(store.append(executor, List.of(appendOf(third, 3, new Change.Keep()))))
        .containsKey(first.run());
    assertThat(store.retake(executor + 1, first.run())).isEmpty();
  }

  @Test
  @Attacks("workflow.parked")
  void aRunThatIsDueBeforeItHasLeftIsTakenUpAgainAndCostsNobodyTheLease() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              for (int i = 0; i < 40; i++) {
                flow.sleep("a moment", Duration.ZERO.plusMillis(i % 2));
              }
              return new Receipt("done");
            });
    Workflows workflows = process(workflow);
    for (int i = 0; i < 64; i++) {
      workflows.start(workflow, "o-" + i, new Order("o-" + i, 1));
    }
    for (int i = 0; i < 64; i++) {
      assertThat(workflows.result(workflow, "o-" + i, SOON)).contains(new Receipt("done"));
    }
    // An executor that gives its number up registers anew.
    assertThat(list("select max(executor) from " + schema + ".workflow_executor"))
        .containsExactly("1");
  }

  private static WorkflowStore.Claimed claim(WorkflowStore store, long executor) {
    return store.claim(executor, List.of("place-order/1"), 10, true).runs().get(0);
  }

  private static WorkflowStore.Append appendOf(WorkflowStore.Claimed run, int seq, Change change) {
    return new WorkflowStore.Append(
        run.run(),
        run.turn(),
        List.of(new Entry(seq, Entry.Kind.RESULT, "s" + seq, "1", null, Instant.EPOCH)),
        List.of(),
        List.of(),
        change);
  }
}
