package dev.holdfast.crashtest;

import dev.holdfast.boundary.Outcome;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.CommitPoint;
import dev.holdfast.crashtest.report.Fault;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Phase;
import dev.holdfast.crashtest.report.Problem;
import dev.holdfast.crashtest.report.Stage;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.crashtest.resource.Role;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One run: start, operate, suffer the planned faults, recover, look, retry, look again. Every run
 * has a key of its own, and shares nothing with the others but the outside world.
 *
 * @param <S> the application
 */
final class RunExecution<S> {
  private static final Duration BACKGROUND_PATIENCE = Duration.ofSeconds(5);

  /** With others at work, what is there must stay so for this long before it is believed. */
  private static final Duration HOLD = Duration.ofMillis(100);

  private final Scenario<S> scenario;
  private final RunPlan plan;
  private final List<CommitPoint> golden;
  private final Truths truths;
  private final String key;
  private final Trace trace;
  private final Oracle oracle;
  private final List<Finding> findings = new ArrayList<>();
  private @Nullable Life<S> life;

  /** One life of the process, and the application in it. */
  private record Life<S>(Incarnation process, S application) {}

  /** What was seen last, and whether it was still changing. */
  private record Settled(List<Seen> seen, boolean moving, boolean idle) {}

  /** What has been found ends the run. */
  private static final class Ended extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /**
   * @param golden the points of the golden run; none when this is it
   */
  RunExecution(
      Scenario<S> scenario, RunPlan plan, List<CommitPoint> golden, Truths truths, String key) {
    this.scenario = scenario;
    this.plan = plan;
    this.golden = golden;
    this.truths = truths;
    this.key = key;
    this.trace = new Trace(plan.faults(), scenario::isIgnored);
    this.oracle = new Oracle(scenario.expectations(), golden);
  }

  Trace trace() {
    return trace;
  }

  List<Finding> findings() {
    return findings;
  }

  /**
   * Makes the run.
   *
   * @throws CrashLabException when it cannot be made as planned
   */
  void run() {
    try {
      operate();
    } catch (Ended e) {
      // What it has found says why.
    } finally {
      trace.leave();
      Life<S> last = life;
      if (last != null) {
        last.process().stop();
      }
    }
    String problem = trace.problem();
    if (problem != null) {
      throw new CrashLabException(Problem.Kind.FAULT_NOT_MADE, problem);
    }
  }

  private void operate() {
    truths.begin();
    LabThread.Ending started = begin(false);
    if (started.how() != LabThread.How.RETURNED) {
      throw failed("The application does not start: " + why(started), started.thrown());
    }
    requireUnusedKey();
    trace.enter(Phase.OPERATION);
    try {
      scenario.given().prepare(key);
    } catch (Exception e) {
      throw failed("What the operation needs could not be prepared: " + e, e);
    }
    Outcome told = attempt();
    if (plan.isGolden()) {
      judgeGolden(told);
      return;
    }
    told = strike(told);
    if (!(told instanceof Outcome.Unknown)
        || !scenario.retriesHeal()
        || trace.pendingHere() != null) {
      judge(told);
    }
    if (told instanceof Outcome.Unknown && scenario.retries() > 0) {
      judge(retry());
    }
  }

  /** Sees that the first fault is made, and what it leaves the caller with. */
  private Outcome strike(Outcome told) {
    Fault fault = plan.faults().get(0);
    switch (fault.stage()) {
      case BEFORE, ACK_LOST -> awaitFault(fault);
      case AFTER_LAST -> {
        awaitAllPoints();
        trace.made(fault);
        process().crash(fault.toString());
      }
      case REPLY_LOST -> {
        trace.made(fault);
        requireUnmoved(true);
        return told instanceof Outcome.Committed
            ? new Outcome.Unknown("the operation's own answer was lost")
            : told;
      }
    }
    requireUnmoved(fault.stage() == Stage.AFTER_LAST);
    if (plan.carrier() != Carrier.LOST_ACK) {
      restart();
    }
    return told;
  }

  private void awaitFault(Fault fault) {
    Await clock = Await.begin();
    CommitPoint point = Objects.requireNonNull(fault.point());
    boolean byOthers = !LabThread.isOurs(point.role());
    while (trace.pendingHere() != null) {
      if (!byOthers || clock.isOver(patience())) {
        requireUnmoved(false);
        throw notReached(fault);
      }
      clock.pause();
    }
    if (plan.carrier() != Carrier.LOST_ACK && !Await.done(process().crashed(), patience())) {
      throw notReached(fault);
    }
  }

  private void awaitAllPoints() {
    Await clock = Await.begin();
    while (true) {
      List<CommitPoint> passed = trace.completed();
      List<CommitPoint> missing =
          RunPlan.plannable(golden, Phase.OPERATION).stream()
              .filter(point -> passed.stream().noneMatch(point::isSameAs))
              .toList();
      if (missing.isEmpty()) {
        return;
      }
      if (clock.isOver(patience())) {
        requireUnmoved(false);
        throw new CrashLabException(
            Problem.Kind.POINT_NOT_REACHED,
            "The golden run passed %s, this run does not within %s. Make the operation do the same for every key, or leave the point out with ignoring(…)."
                .formatted(missing, patience()));
      }
      clock.pause();
    }
  }

  private CrashLabException notReached(Fault fault) {
    return new CrashLabException(
        Problem.Kind.POINT_NOT_REACHED,
        "The planned fault was not made, because its point never came: %s. Passed were %s. Make the operation do the same for every key, or leave the point out with ignoring(…)."
            .formatted(fault, trace.points()));
  }

  /** The operation's own thread must do what it did in the golden run, as far as it came. */
  private void requireUnmoved(boolean whole) {
    List<CommitPoint> before = callers(golden);
    List<CommitPoint> now = callers(trace.untilFault());
    for (int i = 0; i < Math.max(now.size(), whole ? before.size() : 0); i++) {
      if (i >= before.size() || i >= now.size() || !before.get(i).isSameAs(now.get(i))) {
        throw new CrashLabException(
            Problem.Kind.POINT_MOVED,
            "Commit point %d was %s in the golden run and is %s now. The same operation must commit the same in every run: look for what depends on time, chance or what earlier runs left."
                .formatted(
                    i + 1,
                    i < before.size() ? before.get(i) : "not there",
                    i < now.size() ? now.get(i) : "not there"));
      }
    }
  }

  private static List<CommitPoint> callers(List<CommitPoint> points) {
    return points.stream()
        .filter(point -> point.phase() == Phase.OPERATION && point.role().byCaller())
        .toList();
  }

  private Outcome attempt() {
    Life<S> current = current();
    LabThread.Ending ending =
        LabThread.run(
            Role.CALLER,
            current.process(),
            scenario.attemptTimeout(),
            () -> scenario.work().run(current.application(), key));
    Throwable thrown = ending.thrown();
    return switch (ending.how()) {
      case RETURNED -> new Outcome.Committed();
      case THREW ->
          thrown != null && scenario.isRefusal(thrown)
              ? new Outcome.Rejected(thrown.toString())
              : new Outcome.Unknown(String.valueOf(thrown));
      case CRASHED -> new Outcome.Unknown("the process died during the attempt");
      case STILL_RUNNING -> {
        found(Verdict.STUCK, "an attempt did not return within " + scenario.attemptTimeout());
        throw new Ended();
      }
    };
  }

  private Outcome retry() {
    trace.enter(Phase.RETRY);
    Outcome told = new Outcome.Unknown("not asked");
    int left = scenario.retries();
    while (left > 0) {
      told = attempt();
      if (process().isCrashed()) {
        // The second fault; the caller comes back once more than planned.
        restart();
        trace.enter(Phase.RETRY);
        continue;
      }
      left--;
      if (!(told instanceof Outcome.Unknown)) {
        return told;
      }
    }
    found(
        Verdict.STUCK,
        "after %d retries with the same key the caller still does not know; the last one ended with %s"
            .formatted(scenario.retries(), ((Outcome.Unknown) told).reason()));
    throw new Ended();
  }

  /** Starts the process again, as often as it is crashed while it starts. */
  private void restart() {
    while (true) {
      process().bury();
      trace.enter(Phase.RECOVERY);
      LabThread.Ending ending = begin(true);
      switch (ending.how()) {
        case RETURNED -> {
          return;
        }
        case CRASHED -> {}
        case THREW, STILL_RUNNING -> {
          found(Verdict.STUCK, "the application does not start again: " + why(ending));
          throw new Ended();
        }
      }
    }
  }

  private LabThread.Ending begin(boolean again) {
    Incarnation process = new Incarnation(trace, plan.carrier());
    AtomicReference<@Nullable S> started = new AtomicReference<>();
    LabThread.Ending ending =
        LabThread.run(
            LabThread.START,
            process,
            scenario.attemptTimeout(),
            () -> {
              S application = scenario.start().start(new Resources(process, truths));
              if (application instanceof AutoCloseable closeable) {
                process.onStop(closeable);
              }
              started.set(application);
              if (again) {
                scenario.recovery().run(application);
              }
            });
    S application = started.get();
    if (application == null) {
      // Nothing to talk to; but what it made for itself must go.
      life = null;
      lastProcess = process;
      if (!process.isCrashed()) {
        process.crash("because it did not start");
        process.bury();
      }
    } else {
      life = new Life<>(process, application);
      lastProcess = process;
    }
    return ending;
  }

  private @Nullable Incarnation lastProcess;

  private Incarnation process() {
    return Objects.requireNonNull(lastProcess);
  }

  private Life<S> current() {
    return Objects.requireNonNull(life);
  }

  private void judgeGolden(Outcome told) {
    if (!(told instanceof Outcome.Committed)) {
      throw failed("Without any fault, the operation does not succeed: " + told, null);
    }
    Settled settled = settle(told);
    if (settled.moving()) {
      throw new CrashLabException(
          Problem.Kind.DOES_NOT_SETTLE,
          "Without any fault, the effects still change after %s: %s. Give it more time with quiesce(…), or end what goes on making them."
              .formatted(patience(), describe(settled.seen())));
    }
    if (!oracle.isAll(settled.seen()) || !settled.idle()) {
      throw failed(
          "Without any fault, the effects are not as expected within %s: %s%s"
              .formatted(
                  patience(),
                  describe(settled.seen()),
                  settled.idle() ? "" : ", and the application is not idle"),
          null);
    }
    if (RunPlan.plannable(trace.points(), Phase.OPERATION).isEmpty()) {
      throw new CrashLabException(
          Problem.Kind.NO_COMMIT_POINTS,
          "The operation has no commit points: nothing was committed through a wrapped resource. Let the application use what the Resources make.");
    }
  }

  private void judge(Outcome told) {
    Settled settled = settle(told);
    Fault pending = trace.pendingHere();
    if (pending != null) {
      throw notReached(pending);
    }
    findings.addAll(oracle.judge(told, settled.seen()));
    if (!settled.idle()) {
      found(Verdict.STUCK, "the application is not idle after " + patience());
    }
    if (!findings.isEmpty()) {
      if (settled.moving()) {
        trace.note("The effects still changed when the time was over.");
      }
      throw new Ended();
    }
  }

  /** Looks until what is there is acceptable and stays so, or the time is over. */
  private Settled settle(Outcome told) {
    Await clock = Await.begin();
    Await sinceChange = Await.begin();
    List<Seen> last = List.of();
    int changes = -1;
    while (true) {
      if (process().isCrashed() && plan.faults().size() > 1) {
        restart();
        clock = Await.begin();
      }
      List<Seen> seen = observe();
      if (!seen.equals(last)) {
        sinceChange = Await.begin();
        last = seen;
        changes++;
      }
      boolean idle = scenario.idle().test(current().application());
      // The golden run finds out whether there are others, so it gives them the time to begin.
      Duration hold = plan.isGolden() || hasBackground() ? HOLD : Duration.ZERO;
      boolean good = plan.isGolden() ? oracle.isAll(seen) : oracle.isAcceptable(told, seen);
      if (good && idle && !awaitsOthers() && sinceChange.isOver(hold)) {
        return new Settled(seen, false, true);
      }
      if (oracle.isBeyondRepair(seen) && sinceChange.isOver(HOLD)) {
        return new Settled(seen, false, idle);
      }
      if (clock.isOver(good ? patience().plus(hold.multipliedBy(3)) : patience())) {
        return new Settled(seen, changes > 0 && !sinceChange.isOver(hold), idle);
      }
      clock.pause();
    }
  }

  private boolean awaitsOthers() {
    Fault pending = trace.pendingHere();
    return pending != null && pending.point() != null && !LabThread.isOurs(pending.point().role());
  }

  private Duration patience() {
    Duration given = scenario.patience();
    if (given != null) {
      return given;
    }
    return hasBackground() ? BACKGROUND_PATIENCE : truths.delay();
  }

  private boolean hasBackground() {
    return trace.hasBackground()
        || golden.stream().anyMatch(point -> !LabThread.isOurs(point.role()));
  }

  private List<Seen> observe() {
    return scenario.expectations().stream().map(each -> each.observe(truths, key)).toList();
  }

  private void requireUnusedKey() {
    List<Seen> seen = observe();
    if (!seen.stream().allMatch(each -> each.values().isEmpty())) {
      throw new CrashLabException(
          Problem.Kind.KEY_IN_USE,
          "Key %s has effects before it is used: %s. Choose another seed, or empty the resources."
              .formatted(key, describe(seen)));
    }
  }

  private String describe(List<Seen> seen) {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < seen.size(); i++) {
      Expectation effect = scenario.expectations().get(i);
      parts.add("%s %s, expected %d".formatted(effect, seen.get(i), effect.times()));
    }
    return String.join("; ", parts);
  }

  private void found(Verdict verdict, String text) {
    findings.add(new Finding(verdict, text));
  }

  private String why(LabThread.Ending ending) {
    return switch (ending.how()) {
      case THREW -> String.valueOf(ending.thrown());
      case STILL_RUNNING -> "it has not returned within " + scenario.attemptTimeout();
      case CRASHED, RETURNED -> ending.how().toString();
    };
  }

  private static CrashLabException failed(String message, @Nullable Throwable cause) {
    return cause == null
        ? new CrashLabException(Problem.Kind.GOLDEN_RUN_FAILED, message)
        : new CrashLabException(Problem.Kind.GOLDEN_RUN_FAILED, message, cause);
  }
}
