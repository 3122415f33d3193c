package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.effects;
import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.PausedOwner.Moment;
import dev.holdfast.crashtest.WorkflowProcess.Order;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.resource.Role;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;

/**
 * What a workflow promises, whatever crashes, pauses, and whichever answer is lost: an order of
 * five steps, two of which call a service over HTTP, and three of which can be undone. It ends with
 * every effect once, or with every effect undone once, the last one first. For those who write a
 * store of their own.
 *
 * <p>A subclass says where the database is, by a URL that a forked JVM can use as well. It is this
 * suite's alone.
 */
@TestInstance(Lifecycle.PER_CLASS)
public abstract class WorkflowConformance {
  private static final String DATABASE = "database";
  private static final String SERVICE = "service";
  private static final String CHARGE = Order.STANDARD.charge();
  private static final String PARCEL = Order.STANDARD.parcel();

  /** What a process sends when it wakes up is in time. */
  private static final Duration LONGER_THAN_A_PAUSE = Duration.ofSeconds(5);

  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  /** In this JVM; another one finds them there. */
  private static final Set<String> PREPARED = ConcurrentHashMap.newKeySet();

  /** In this JVM alone. */
  private static final class Called {
    static final KeyedService SERVICE = KeyedService.start();

    private Called() {}
  }

  /** The database. */
  protected abstract String databaseUrl();

  /** A pool on top of what reaches the database, to be closed by {@link Resources#onStop}. */
  protected DataSource pool(Resources resources, DataSource physical) {
    return physical;
  }

  /**
   * Ends the leases of whoever has one, so that no run waits for that: each process that starts
   * here is the only one. Does nothing where time cannot be moved.
   */
  protected abstract void endLeases(String url);

  @CrashTest
  @Attacks({"workflow.step", "workflow.recovery", "workflow.call.key", "workflow.call.lookup"})
  public void everyEffectIsThereOnce(CrashLab lab) {
    order(lab, Order.STANDARD);
  }

  @CrashTest
  @Attacks({"workflow.undo", "workflow.call.undone"})
  public void everyEffectIsUndoneOnceAndTheLastOneFirst(CrashLab lab) {
    order(lab, Order.STANDARD.failing());
  }

  /** Every call, every transaction and every compensation asks for its effect two times. */
  @CrashTest(carriers = Carrier.LOST_ACK)
  @Attacks({"workflow.step", "workflow.call.key"})
  public void whatIsAskedForTwiceIsThereOnceThoughRepliesAreLost(CrashLab lab) {
    order(lab, Order.STANDARD.repeating());
  }

  /** The run's end is in the commit of its last step. */
  @CrashTest(carriers = Carrier.LOST_ACK)
  @Attacks({"workflow.step", "workflow.recovery"})
  public void theLastStepEndsTheRunThoughRepliesAreLost(CrashLab lab) {
    order(lab, Order.STANDARD.completing());
  }

  @Tag("long")
  @CrashTest(carriers = {Carrier.FENCED, Carrier.FORKED})
  public void theLastStepEndsTheRun(CrashLab lab) {
    order(lab, Order.STANDARD.completing());
  }

  @Tag("long")
  @CrashTest(pairs = true)
  public void theLastStepEndsTheRunThoughTheSuccessorCrashesToo(CrashLab lab) {
    order(lab, Order.STANDARD.completing());
  }

  @Tag("long")
  @CrashTest(carriers = Carrier.LOST_ACK)
  public void everyEffectIsThereOnceThoughRepliesAreLost(CrashLab lab) {
    order(lab, Order.STANDARD);
  }

  @Tag("long")
  @CrashTest(carriers = Carrier.LOST_ACK)
  public void everyEffectIsUndoneOnceThoughRepliesAreLost(CrashLab lab) {
    order(lab, Order.STANDARD.failing());
  }

  @Tag("long")
  @CrashTest
  public void whatIsAskedForTwiceIsThereOnce(CrashLab lab) {
    order(lab, Order.STANDARD.repeating());
  }

  @Tag("long")
  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  public void whatIsAskedForTwiceIsUndoneOnce(CrashLab lab) {
    order(lab, Order.STANDARD.repeating().failing());
  }

  @Tag("long")
  @CrashTest(carriers = Carrier.FORKED)
  public void everyEffectIsThereOnceInProcessesOfTheirOwn(CrashLab lab) {
    order(lab, Order.STANDARD);
  }

  @Tag("long")
  @CrashTest(carriers = Carrier.FORKED)
  public void everyEffectIsUndoneOnceInProcessesOfTheirOwn(CrashLab lab) {
    order(lab, Order.STANDARD.failing());
  }

  /** A second crash at every point that the successor of a crashed process passes. */
  @Tag("long")
  @CrashTest(pairs = true)
  public void everyEffectIsThereOnceThoughTheSuccessorCrashesToo(CrashLab lab) {
    order(lab, Order.STANDARD);
  }

  @Tag("long")
  @CrashTest(pairs = true)
  public void everyEffectIsUndoneOnceThoughTheSuccessorCrashesToo(CrashLab lab) {
    order(lab, Order.STANDARD.failing());
  }

  private void order(CrashLab lab, Order as) {
    // Each process is started when the one before it is dead.
    describe(lab, as, this::endLeases, process -> {});
  }

  private Scenario<WorkflowProcess> describe(
      CrashLab lab, Order as, Consumer<String> before, Scenario.Step<WorkflowProcess> started) {
    String url = lab.share(DATABASE, this::databaseUrl);
    String service = lab.share(SERVICE, Called.SERVICE::uri);
    prepare(url);
    return lab.application(
            resources -> {
              before.accept(url);
              WorkflowProcess process =
                  new WorkflowProcess(
                      pool(resources, resources.dataSource(DATABASE, url)),
                      resources.httpClient(SERVICE, CLIENT),
                      service,
                      as);
              started.run(process);
              return process;
            })
        .operation(WorkflowProcess::take)
        .recoveredByRetry(2)
        .eachOf("holdfast-workflow-")
        // What they do for all runs, and when they come to it, belongs to none.
        .ignoring("holdfast-workflows")
        .ignoring("holdfast-workflow-lease")
        .ignoring("workflow_executor")
        .ignoring("workflow_bury")
        .expect(expected(as).toArray(Expectation[]::new));
  }

  private static List<Expectation> expected(Order as) {
    List<Expectation> all = new ArrayList<>();
    all.add(row(WorkflowProcess.HELD).in(DATABASE).byKey("id").once());
    all.add(
        effects(SERVICE, "execution", key -> Called.SERVICE.executed(key))
            .inOrder(as.charge(), as.parcel()));
    if (as.fails()) {
      all.add(
          effects(SERVICE, "undoing", key -> Called.SERVICE.undone(key))
              .inOrder(as.parcel(), as.charge()));
      all.add(row(WorkflowProcess.RELEASED).in(DATABASE).byKey("id").once());
    } else {
      all.add(row(WorkflowProcess.CONFIRMED).in(DATABASE).byKey("id").once());
    }
    return all;
  }

  private static void prepare(String url) {
    if (!PREPARED.add(url)) {
      return;
    }
    Holdfast.on(Direct.to(url)).manual().holdfast().close();
    for (String table :
        List.of(WorkflowProcess.HELD, WorkflowProcess.RELEASED, WorkflowProcess.CONFIRMED)) {
      Direct.execute(url, "create table if not exists " + table + " (id varchar(100) not null)");
    }
  }

  /** It is about to record that it will call; its successor has called, and ended the run. */
  @Test
  @Attacks("workflow.fence")
  public void aFormerOwnerThatWakesUpRecordsNothing() {
    assertThat(paused(Order.STANDARD, point("workflow_append("), Moment.BEFORE, OVER)).isEmpty();
  }

  /** It has looked at its lease; its successor has asked, and is told later that it happened. */
  @Test
  @Attacks({"workflow.call.lookup", "workflow.call.unknown"})
  public void aFormerOwnersCallThatArrivesLateIsFound() {
    assertThat(
            paused(
                Order.STANDARD.settlingAfter(LONGER_THAN_A_PAUSE),
                point("POST /" + PARCEL),
                Moment.BEFORE,
                ASKED))
        .isEmpty();
  }

  @Tag("long")
  @Test
  public void aFormerOwnerIsPausedAtEveryKindOfItsPoints() {
    for (Moment moment : Moment.values()) {
      for (String point :
          List.of(
              WorkflowProcess.HELD,
              "workflow_append(",
              "POST /" + CHARGE,
              WorkflowProcess.CONFIRMED)) {
        assertThat(paused(Order.STANDARD, point(point), moment, OVER))
            .as(moment + " " + point)
            .isEmpty();
      }
    }
    assertThat(paused(Order.STANDARD, point("POST /" + PARCEL), Moment.AFTER, OVER)).isEmpty();
  }

  @Tag("long")
  @Test
  public void aFormerOwnerIsPausedAtEveryKindOfPointOfUndoing() {
    for (Moment moment : Moment.values()) {
      for (String point :
          List.of("DELETE /" + PARCEL, "DELETE /" + CHARGE, WorkflowProcess.RELEASED)) {
        assertThat(paused(Order.STANDARD.failing(), point(point), moment, OVER))
            .as(moment + " " + point)
            .isEmpty();
      }
    }
  }

  private static Predicate<Role> point(String text) {
    return role -> role.detail().contains(text);
  }

  /** What a successor has come to when its predecessor wakes up. */
  @FunctionalInterface
  private interface Until {
    boolean isSo(WorkflowProcess successor, String key);
  }

  private static final Until OVER = WorkflowProcess::isOver;
  private static final Until ASKED = (successor, key) -> Called.SERVICE.asked(key) > 0;

  private List<Finding> paused(Order as, Predicate<Role> where, Moment moment, Until until) {
    CrashLab lab = new CrashLab();
    String key = "paused-" + UUID.randomUUID();
    AtomicInteger processes = new AtomicInteger();
    Scenario<WorkflowProcess> scenario =
        describe(
            lab,
            as,
            url -> {},
            process -> {
              if (processes.incrementAndGet() > 1) {
                OutboxProcess.await("The run is not taken over", () -> until.isSo(process, key));
              }
            });
    return new PausedOwner(scenario, key, where, moment).run(() -> {}).findings();
  }

  /**
   * What is wrong when a former owner's call arrives after its successor has taken silence for a
   * no: a negative control, of what {@code settleAfter} has to be long enough for.
   */
  public final List<Finding> calledAfterItHasSettled() {
    return paused(Order.STANDARD, point("POST /" + PARCEL), Moment.BEFORE, OVER);
  }

  /**
   * Takes orders of a service that does what it is asked to again for a repeat of a key, until a
   * run finds something wrong: a negative control.
   *
   * @throws AssertionError when every run passes
   * @throws CrashLabException when a run cannot be made
   */
  public final RunReport firstFailureWithoutKeys(CrashLab.Options options) {
    return firstFailure(Order.STANDARD.charging(KeyedService.LOOSE + "charge"), options);
  }

  /** The same, of a compensation that is carried out again. */
  public final RunReport firstFailureWithoutIdempotentCompensation(CrashLab.Options options) {
    return firstFailure(Order.STANDARD.charging(KeyedService.NAIVE + "charge").failing(), options);
  }

  private RunReport firstFailure(Order as, CrashLab.Options options) {
    return Explorer.firstFailure(options, lab -> order(lab, as));
  }
}
