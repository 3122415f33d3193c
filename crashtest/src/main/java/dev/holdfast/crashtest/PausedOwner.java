package dev.holdfast.crashtest;

import dev.holdfast.boundary.Outcome;
import dev.holdfast.crashtest.report.CommitPoint;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Phase;
import dev.holdfast.crashtest.resource.Role;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * An owner that is paused for longer than its lease, as by a garbage collector or a moved machine,
 * and wakes up beside its successor: what no crash shows, since the dead do nothing any more.
 *
 * <p>The owner stops just before one of its commits, or just behind it, and with it everything of
 * its process that would commit something through a wrapped resource. A second process starts and
 * takes over, for which the store may have to end the owner's transaction. Then the first one goes
 * on where it was, and ends in order. What is there once the second has nothing left to do is
 * judged as after any other run.
 */
final class PausedOwner {
  private static final Duration LONG = Duration.ofSeconds(30);

  private final Scenario<?> scenario;
  private final String key;
  private final Predicate<Role> where;
  private final Moment moment;
  private final CompletableFuture<CommitPoint> paused = new CompletableFuture<>();
  private final CompletableFuture<Boolean> awake = new CompletableFuture<>();

  /** On which side of its commit the owner stops. */
  enum Moment {
    BEFORE,
    /** It has happened, and nobody has been told. */
    AFTER
  }

  /**
   * What came of it.
   *
   * @param point where the owner was paused
   * @param told what the owner told its caller
   * @param findings what is wrong
   */
  record Woken(CommitPoint point, Outcome told, List<Finding> findings) {}

  /**
   * @param where the commits of which the first is the one
   */
  PausedOwner(Scenario<?> scenario, String key, Predicate<Role> where) {
    this(scenario, key, where, Moment.BEFORE);
  }

  PausedOwner(Scenario<?> scenario, String key, Predicate<Role> where, Moment moment) {
    this.scenario = scenario;
    this.key = key;
    this.where = where;
    this.moment = moment;
  }

  /**
   * Makes the run.
   *
   * @param meanwhile what changes in the world while the owner is paused
   */
  Woken run(Runnable meanwhile) {
    scenario.requireComplete();
    try (Truths truths = new Truths()) {
      Trace trace = new Trace(List.of(), scenario::isIgnored, new Pause());
      Life owner = begin(trace, truths);
      try {
        // What is there already is of no interest.
        observe(truths);
        trace.enter(Phase.OPERATION);
        CompletableFuture<Life.Ended> told = new CompletableFuture<>();
        CompletableFuture<?> operation =
            LabThread.inBackground("operation", () -> told.complete(owner.attempt(key)));
        require(Await.done(paused, LONG), "The owner did not come to its point");
        meanwhile.run();
        return succeed(owner, operation, told, truths);
      } finally {
        awake.complete(true);
        owner.stop();
      }
    }
  }

  private Woken succeed(
      Life owner,
      CompletableFuture<?> operation,
      CompletableFuture<Life.Ended> ended,
      Truths truths) {
    Trace trace = new Trace(List.of(), scenario::isIgnored, Trace.Listener.NONE);
    AtomicReference<@Nullable Life> successor = new AtomicReference<>();
    CompletableFuture<?> started =
        LabThread.inBackground("succession", () -> successor.set(begin(trace, truths)));
    try {
      require(Await.done(started, LONG), "The successor did not take over");
      awake.complete(true);
      require(Await.done(operation, LONG) && ended.isDone(), "The operation did not return");
      // Whatever it had in its hands is done or given up when it has ended.
      owner.stop();
      Life next = successor.get();
      if (next == null) {
        throw unusable("The successor did not start");
      }
      Outcome told = told(ended.join());
      return new Woken(paused.join(), told, judge(told, next, trace, truths));
    } finally {
      started.whenComplete(
          (result, failure) -> {
            Life next = successor.get();
            if (next != null) {
              next.stop();
            }
          });
    }
  }

  private static Outcome told(Life.Ended ended) {
    return switch (ended.how()) {
      case RETURNED -> new Outcome.Committed();
      case THREW ->
          ended.refused()
              ? new Outcome.Rejected(ended.thrown())
              : new Outcome.Unknown(ended.thrown());
      case CRASHED, STILL_RUNNING -> throw unusable("The operation did not return");
    };
  }

  private List<Finding> judge(Outcome told, Life successor, Trace trace, Truths truths) {
    Oracle oracle = new Oracle(scenario.expectations(), List.of());
    Quiescence.Settled settled =
        new Quiescence(scenario, RunPlan.GOLDEN, Quiescence.Golden.NONE, truths, trace)
            .await(
                () -> observe(truths),
                seen -> oracle.isAcceptable(told, seen),
                oracle::isBeyondRepair,
                successor::isIdle,
                () -> false);
    return settled.justified(oracle.judge(told, settled.seen()));
  }

  private Life begin(Trace trace, Truths truths) {
    Life.Born born = LocalLife.begin(scenario, new Incarnation(trace, null), truths, false);
    if (born.start().how() != Life.How.RETURNED) {
      // What it has made by then must not be left behind.
      born.life().stop();
      throw unusable("A process did not start: " + born.start().thrown());
    }
    return born.life();
  }

  private List<Seen> observe(Truths truths) {
    return scenario.expectations().stream().map(each -> each.observe(truths, key)).toList();
  }

  private static void require(boolean condition, String otherwise) {
    if (!condition) {
      throw unusable(otherwise + " within " + LONG);
    }
  }

  private static CrashLabException unusable(String what) {
    return new CrashLabException(
        dev.holdfast.crashtest.report.Problem.Kind.FAULT_NOT_MADE,
        what + ", so nothing was shown. Run it again.");
  }

  /**
   * Holds whoever comes to the point, inside of the trace's lock: everybody else of the process who
   * would commit something is held there with it.
   */
  private final class Pause implements Trace.Listener {
    @Override
    public void begun(CommitPoint point, boolean struck) {
      pause(point, Moment.BEFORE);
    }

    @Override
    public void completed(CommitPoint point) {
      pause(point, Moment.AFTER);
    }

    private void pause(CommitPoint point, Moment now) {
      if (now == moment && !paused.isDone() && where.test(point.role())) {
        paused.complete(point);
        Await.done(awake, LONG);
      }
    }

    @Override
    public void noted(String note) {}

    @Override
    public void failed(String problem) {}
  }
}
