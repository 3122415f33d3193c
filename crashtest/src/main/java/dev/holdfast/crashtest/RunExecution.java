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
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One run: start, operate, suffer the planned faults, recover, look, retry, look again. Every run
 * has a key of its own, and shares nothing with the others but the outside world.
 */
final class RunExecution {
  private final Scenario<?> scenario;
  private final RunPlan plan;
  private final Quiescence.Golden golden;
  private final Truths truths;
  private final String key;
  private final Trace trace;
  private final Life.Source lives;
  private Oracle oracle;
  private final Quiescence quiescence;
  private final List<Finding> findings = new ArrayList<>();
  private @Nullable Life life;
  private @Nullable Throwable lastThrown;
  private boolean befallen;

  /** What has been found ends the run. */
  private static final class Decided extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /**
   * @param golden what the golden run showed; nothing when this is it
   */
  RunExecution(
      Scenario<?> scenario,
      RunPlan plan,
      Quiescence.Golden golden,
      Truths truths,
      String key,
      Trace trace,
      Life.Source lives) {
    this.scenario = scenario;
    this.plan = plan;
    this.golden = golden;
    this.truths = truths;
    this.key = key;
    this.trace = trace;
    this.lives = lives;
    this.oracle = new Oracle(scenario.expectations(), golden.points());
    this.quiescence = new Quiescence(scenario, plan, golden, truths, trace);
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
    } catch (Decided e) {
      // What it has found says why.
    } finally {
      trace.leave();
      Life last = life;
      if (last != null) {
        last.stop();
      }
    }
    String problem = trace.problem();
    if (problem != null) {
      throw new CrashLabException(Problem.Kind.FAULT_NOT_MADE, problem);
    }
  }

  private void operate() {
    truths.begin();
    Life.Ended started = begin(false);
    if (started.how() != Life.How.RETURNED) {
      throw failed("The application does not start: " + why(started), started.cause());
    }
    requireUnusedKey();
    enter(Phase.OPERATION);
    try {
      scenario.given().prepare(key);
      if (plan.carrier() == Carrier.DRILL) {
        Objects.requireNonNull(scenario.drill()).prepare().run();
      }
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
      Outcome retried = retry();
      oracle = oracle.losingNothing();
      judge(retried);
    }
  }

  private void befall() {
    Drill drill = Objects.requireNonNull(scenario.drill());
    befallen = true;
    List<Seen> before = observe();
    try {
      drill.strike().run();
    } catch (Exception e) {
      throw failed("The drill '" + drill.name() + "' could not be carried out: " + e, e);
    }
    truths.lookAnew();
    oracle = oracle.after(drill, before);
    trace.note("Befallen while the process was down: " + drill.name() + ".");
  }

  /** Sees that the first fault is made, and what it leaves the caller with. */
  private Outcome strike(Outcome told) {
    Fault fault = plan.faults().get(0);
    switch (fault.stage()) {
      case BEFORE, ACK_LOST -> awaitFault(fault);
      case BUFFERED -> {
        awaitMade(fault);
        life().crash(fault.toString());
      }
      case AFTER_LAST -> {
        awaitAllPoints();
        life().settle();
        trace.made(fault);
        life().crash(fault.toString());
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
    awaitMade(fault);
    if (plan.carrier() != Carrier.LOST_ACK
        && !Await.done(life().crashed(), quiescence.patience())) {
      throw notReached(fault);
    }
  }

  private void awaitMade(Fault fault) {
    Await clock = Await.begin();
    CommitPoint point = Objects.requireNonNull(fault.point());
    boolean byOthers = !LabThread.isOurs(point.role());
    while (trace.pendingHere() != null) {
      if (!byOthers || clock.isOver(quiescence.patience())) {
        requireUnmoved(false);
        throw notReached(fault);
      }
      clock.pause();
    }
  }

  private void awaitAllPoints() {
    Await clock = Await.begin();
    while (true) {
      List<CommitPoint> passed = trace.completed();
      List<CommitPoint> missing =
          golden.plannable().stream()
              .filter(point -> passed.stream().noneMatch(point::isSameAs))
              .toList();
      if (missing.isEmpty()) {
        return;
      }
      if (clock.isOver(quiescence.patience())) {
        requireUnmoved(false);
        throw new CrashLabException(
            Problem.Kind.POINT_NOT_REACHED,
            "The golden run passed %s, this run does not within %s. Make the operation do the same for every key, or leave the point out with ignoring(…)."
                .formatted(missing, Words.of(quiescence.patience())));
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
    List<CommitPoint> before = callers(golden.points());
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
    Life.Ended ended = life().attempt(key);
    return switch (ended.how()) {
      case RETURNED -> new Outcome.Committed();
      case THREW -> {
        lastThrown = ended.cause();
        yield ended.refused()
            ? new Outcome.Rejected(ended.thrown())
            : new Outcome.Unknown(ended.thrown());
      }
      case CRASHED -> new Outcome.Unknown("the process died during the attempt");
      case STILL_RUNNING -> {
        found(
            Verdict.STUCK,
            "an attempt did not return within " + Words.of(scenario.attemptTimeout()));
        throw new Decided();
      }
    };
  }

  private Outcome retry() {
    enter(Phase.RETRY);
    Outcome told = new Outcome.Unknown("not asked");
    int left = scenario.retries();
    while (left > 0) {
      told = attempt();
      if (life().isCrashed()) {
        // The second fault; the caller comes back once more than planned.
        restart();
        enter(Phase.RETRY);
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
    throw new Decided();
  }

  /** Starts the process again, as often as it is crashed while it starts. */
  private void restart() {
    while (true) {
      if (trace.problem() != null) {
        throw new Decided();
      }
      life().bury();
      if (plan.carrier() == Carrier.DRILL && !befallen) {
        befall();
      }
      trace.enter(Phase.RECOVERY);
      Life.Ended ended = begin(true);
      switch (ended.how()) {
        case RETURNED -> {
          return;
        }
        case CRASHED -> {}
        case THREW, STILL_RUNNING -> {
          found(Verdict.STUCK, "the application does not start again: " + why(ended));
          throw new Decided();
        }
      }
    }
  }

  private Life.Ended begin(boolean again) {
    Life.Born born = lives.begin(again);
    life = born.life();
    return born.start();
  }

  private void enter(Phase phase) {
    trace.enter(phase);
    life().enter(phase);
  }

  private Life life() {
    return Objects.requireNonNull(life);
  }

  private void judgeGolden(Outcome told) {
    if (!(told instanceof Outcome.Committed)) {
      throw failed("Without any fault, the operation does not succeed: " + told, lastThrown);
    }
    Quiescence.Settled settled = settle(told);
    if (settled.moving()) {
      throw new CrashLabException(
          Problem.Kind.DOES_NOT_SETTLE,
          "Without any fault, the effects still change after %s: %s. Give it more time with quiesce(…), or end what goes on making them."
              .formatted(Words.of(settled.waited()), describe(settled.seen())));
    }
    if (!oracle.isAll(settled.seen()) || !settled.idle()) {
      throw failed(
          "Without any fault, the effects are not as expected within %s: %s%s"
              .formatted(
                  Words.of(settled.waited()),
                  describe(settled.seen()),
                  settled.idle() ? "" : ", and the application is not idle"),
          null);
    }
    if (RunPlan.plannable(trace.points(), Phase.OPERATION, scenario::isByChance).isEmpty()) {
      throw new CrashLabException(
          Problem.Kind.NO_COMMIT_POINTS,
          "The operation has no commit points: nothing was committed through a wrapped resource. Let the application use what the Resources make.");
    }
  }

  private void judge(Outcome told) {
    Quiescence.Settled settled = settle(told);
    Fault pending = trace.pendingHere();
    if (pending != null) {
      throw notReached(pending);
    }
    findings.addAll(settled.justified(oracle.judge(told, settled.seen())));
    // Whom what is wrong for good did not leave the time, is not accused of not using it.
    if (!settled.idle() && settled.wholly()) {
      found(Verdict.STUCK, "the application is not idle after " + Words.of(settled.waited()));
    }
    if (!findings.isEmpty()) {
      if (settled.moving()) {
        trace.note("The effects still changed when the time was over.");
      }
      throw new Decided();
    }
  }

  private Quiescence.Settled settle(Outcome told) {
    boolean goldenRun = plan.isGolden();
    return quiescence.await(
        this::observe,
        seen -> goldenRun ? oracle.isAll(seen) : oracle.isAcceptable(told, seen),
        seen -> !goldenRun && oracle.isBeyondRepair(seen),
        () -> life().isIdle(),
        this::revive);
  }

  /** A second fault may strike while we look. */
  private boolean revive() {
    if (!life().isCrashed() || plan.faults().size() < 2) {
      return false;
    }
    restart();
    return true;
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

  private String why(Life.Ended ended) {
    return switch (ended.how()) {
      case THREW -> ended.thrown();
      case STILL_RUNNING -> "it has not returned within " + Words.of(scenario.attemptTimeout());
      case CRASHED, RETURNED -> "it ended by itself";
    };
  }

  private CrashLabException failed(String message, @Nullable Throwable cause) {
    Problem.Kind kind =
        plan.isGolden() ? Problem.Kind.GOLDEN_RUN_FAILED : Problem.Kind.CANNOT_BEGIN;
    return new CrashLabException(new Problem(kind, message, cause));
  }
}
