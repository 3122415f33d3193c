package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.CommitPoint;
import dev.holdfast.crashtest.report.Fault;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Phase;
import dev.holdfast.crashtest.report.Stage;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.crashtest.resource.Role;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * When to believe what is there. What is missing is waited for, for as long as the scenario allows.
 * What looks right must stay so for a while, since somebody in the background may still be about to
 * do it again: a consumer has to join its group first, and would be too late for a short look.
 *
 * <ul>
 *   <li>Without anybody in the background, nothing can change but by what is under way at a
 *       resource.
 *   <li>If the application says that it is idle, that is believed.
 *   <li>If the background has passed again what it passed in the golden run after the fault, it has
 *       had its chance.
 *   <li>Otherwise it gets twice the time that the whole golden run took, and a second at least.
 * </ul>
 */
final class Quiescence {
  private static final Duration BACKGROUND_PATIENCE = Duration.ofSeconds(5);
  private static final Duration SHORT = Duration.ofMillis(100);
  private static final Duration UNDER_WAY = Duration.ofMillis(20);
  private static final Duration AT_LEAST = Duration.ofSeconds(1);

  private final Scenario<?> scenario;
  private final RunPlan plan;
  private final Golden golden;
  private final Truths truths;
  private final Trace trace;

  /**
   * What the golden run showed.
   *
   * @param points the commit points that it passed
   * @param plannable those of them at which a fault can be planned
   * @param took how long it took
   */
  record Golden(List<CommitPoint> points, List<CommitPoint> plannable, Duration took) {
    static final Golden NONE = new Golden(List.of(), List.of(), Duration.ZERO);
  }

  /**
   * What was seen last.
   *
   * @param moving whether it was still changing
   * @param idle whether the application said that it was idle
   * @param waited for how long it was looked at
   * @param wholly whether that was all the time there is
   */
  record Settled(List<Seen> seen, boolean moving, boolean idle, Duration waited, boolean wholly) {

    /**
     * The findings but for what is missing and may have been on its way, when something that no
     * time mends ended the wait.
     */
    List<Finding> justified(List<Finding> findings) {
      List<Finding> others =
          findings.stream().filter(finding -> finding.verdict() != Verdict.LOST).toList();
      return wholly || others.isEmpty() ? findings : others;
    }
  }

  Quiescence(Scenario<?> scenario, RunPlan plan, Golden golden, Truths truths, Trace trace) {
    this.scenario = scenario;
    this.plan = plan;
    this.golden = golden;
    this.truths = truths;
    this.trace = trace;
  }

  /**
   * Looks until what is there is right and stays so, or is wrong for good, or the time is over.
   *
   * @param revive starts the process again when it has died; tells whether it has
   */
  Settled await(
      Supplier<List<Seen>> look,
      Predicate<List<Seen>> right,
      Predicate<List<Seen>> beyondRepair,
      BooleanSupplier idleNow,
      BooleanSupplier revive) {
    Await clock = Await.begin();
    Await sinceChange = Await.begin();
    List<Seen> last = List.of();
    int changes = -1;
    while (true) {
      if (revive.getAsBoolean()) {
        clock = Await.begin();
        sinceChange = Await.begin();
      }
      List<Seen> seen = look.get();
      if (!seen.equals(last)) {
        sinceChange = Await.begin();
        last = seen;
        changes++;
      }
      boolean idle = idleNow.getAsBoolean();
      Duration hold = hold();
      boolean good = right.test(seen);
      if (good && idle && !awaitsOthers() && sinceChange.isOver(hold)) {
        return new Settled(seen, false, true, clock.elapsed(), false);
      }
      if (beyondRepair.test(seen) && sinceChange.isOver(SHORT)) {
        return new Settled(seen, false, idle, clock.elapsed(), false);
      }
      if (clock.isOver(good ? patience().plus(hold.multipliedBy(3)) : patience())) {
        boolean moving = changes > 1 && !sinceChange.isOver(patience().dividedBy(2));
        return new Settled(seen, moving, idle, clock.elapsed(), true);
      }
      clock.pause();
    }
  }

  /** How long work in the background may take. */
  Duration patience() {
    Duration given = scenario.patience();
    if (given != null) {
      return given;
    }
    return hasBackground() ? BACKGROUND_PATIENCE : truths.delay();
  }

  private Duration hold() {
    if (plan.isGolden()) {
      // It finds out whether there are others, so it gives them the time to begin.
      return SHORT;
    }
    if (!hasBackground()) {
      return truths.delay().isZero() ? Duration.ZERO : UNDER_WAY;
    }
    if (scenario.saysWhenIdle() || hasHadItsChance()) {
      return SHORT;
    }
    Duration longer = golden.took().multipliedBy(2);
    Duration hold = longer.compareTo(AT_LEAST) > 0 ? longer : AT_LEAST;
    return hold.compareTo(patience()) < 0 ? hold : patience();
  }

  /** Whether the background has passed again what came after the fault in the golden run. */
  private boolean hasHadItsChance() {
    Fault fault = plan.faults().get(0);
    CommitPoint point = fault.point();
    if (point == null) {
      return false;
    }
    List<CommitPoint> points = golden.plannable();
    int from = 0;
    while (from < points.size() && !points.get(from).isSameAs(point)) {
      from++;
    }
    if (fault.stage() != Stage.BEFORE) {
      from++;
    }
    Set<Role> left =
        points.subList(Math.min(from, points.size()), points.size()).stream()
            .map(CommitPoint::role)
            .filter(role -> !LabThread.isOurs(role))
            .collect(Collectors.toSet());
    Set<Role> passed =
        trace.completed().stream()
            .filter(each -> each.phase() != Phase.OPERATION || plan.carrier() == Carrier.LOST_ACK)
            .map(CommitPoint::role)
            .collect(Collectors.toSet());
    return !left.isEmpty() && passed.containsAll(left);
  }

  private boolean hasBackground() {
    return trace.hasBackground()
        || golden.points().stream().anyMatch(point -> !LabThread.isOurs(point.role()));
  }

  private boolean awaitsOthers() {
    Fault pending = trace.pendingHere();
    return pending != null && pending.point() != null && !LabThread.isOurs(pending.point().role());
  }
}
