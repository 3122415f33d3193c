package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.CommitPoint;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Phase;
import dev.holdfast.crashtest.report.Problem;
import dev.holdfast.crashtest.report.RunReport;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * The runs of one operation: the golden one first, which finds the points; then one for each fault;
 * and behind each of those, if wanted, its runs with a second fault.
 *
 * <p>A second fault is planned where two runs with the first passed a point alike. A recovery in
 * the background may take more than one way, by chance: what only one of the two passed is noted,
 * and left alone. Even so, a point may come a little earlier in the next run, before the process
 * counts as recovered, or not at all; such a run is made again with another key, and fails only
 * when its point has not come {@link #ATTEMPTS} times. A first fault has no such excuse.
 */
final class Explorer implements AutoCloseable {
  private static final int ATTEMPTS = 3;

  private final String operation;
  private final CrashLab.Options options;
  private final String forkSource;
  private final Forks forks = new Forks();
  private final Truths truths = new Truths();
  private final Deque<RunPlan> planned = new ArrayDeque<>(List.of(RunPlan.GOLDEN));
  private final List<RunReport> runs = new ArrayList<>();
  private Quiescence.Golden golden = Quiescence.Golden.NONE;

  /**
   * @param forkSource what describes the scenario in another JVM; empty when that is not possible
   */
  Explorer(String operation, CrashLab.Options options, String forkSource) {
    this.operation = operation;
    this.options = options;
    this.forkSource = forkSource;
  }

  /**
   * Explores until a run finds something wrong: for negative controls.
   *
   * @throws AssertionError when every run passes
   * @throws CrashLabException when a run cannot be made
   */
  static RunReport firstFailure(CrashLab.Options options, Consumer<CrashLab> description) {
    try (Explorer explorer = new Explorer("negative control", options, "")) {
      while (explorer.hasNext()) {
        RunPlan plan = explorer.next();
        CrashLab lab = new CrashLab();
        description.accept(lab);
        RunReport run = explorer.execute(plan, lab);
        if (run.problem() != null) {
          throw new CrashLabException(run.problem());
        }
        if (!run.passed()) {
          return run;
        }
      }
      throw new AssertionError("Nothing was found in " + explorer.report().runs().size() + " runs");
    }
  }

  boolean hasNext() {
    return !planned.isEmpty();
  }

  /** Takes the next run off the plan. */
  RunPlan next() {
    RunPlan next = planned.poll();
    if (next == null) {
      throw new NoSuchElementException("All runs have been made.");
    }
    return next;
  }

  /** Makes a run, and plans those that follow from it. */
  RunReport execute(RunPlan plan, CrashLab lab) {
    RunReport report = attempt(plan, lab, 1);
    for (int attempt = 2; attempt <= ATTEMPTS && mayComeYet(plan, report); attempt++) {
      report =
          attempt(plan, lab, attempt)
              .withNote(
                  "Made for the %d. time: before, %s."
                      .formatted(attempt, Objects.requireNonNull(report.problem()).kind()));
    }
    if (report.problem() == null) {
      try {
        report = planAfter(plan, lab, report);
      } catch (CrashLabException e) {
        report = report.withProblem(e.problem());
      }
    }
    runs.add(report);
    return report;
  }

  private static boolean mayComeYet(RunPlan plan, RunReport report) {
    Problem problem = report.problem();
    if (problem == null || !report.findings().isEmpty()) {
      return false;
    }
    return problem.kind() == Problem.Kind.FAULT_NOT_MADE
        || (problem.kind() == Problem.Kind.POINT_NOT_REACHED && plan.hasSecondByOthers());
  }

  private RunReport attempt(RunPlan plan, CrashLab lab, int number) {
    Await clock = Await.begin();
    Scenario<?> scenario = lab.scenario();
    Trace trace = new Trace(plan.faults(), scenario::isIgnored, Trace.Listener.NONE);
    RunExecution run =
        new RunExecution(
            scenario, plan, golden, truths, key(plan, number), trace, lives(plan, lab, trace));
    Problem problem = null;
    try {
      run.run();
      if (plan.isGolden()) {
        List<CommitPoint> points = trace.points();
        golden =
            new Quiescence.Golden(
                points,
                RunPlan.plannable(points, Phase.OPERATION, scenario::isByChance),
                clock.elapsed());
      }
    } catch (CrashLabException e) {
      problem = e.problem();
    } catch (RuntimeException e) {
      problem = new Problem(Problem.Kind.LAB_FAILED, e + ". Its cause says where.", e);
    }
    return new RunReport(
        plan.id() + ":seed-" + options.seed(),
        plan.title(),
        plan.carrier(),
        plan.faults(),
        run.findings(),
        problem,
        run.trace().notes(),
        run.trace().points(),
        clock.elapsed());
  }

  private Life.Source lives(RunPlan plan, CrashLab lab, Trace trace) {
    if (plan.carrier() != Carrier.FORKED) {
      return LocalLife.source(lab.scenario(), trace, truths, plan.carrier());
    }
    return ForkedLife.source(
        forks, forkSource, lab.shared(), trace, lab.scenario().attemptTimeout());
  }

  /** Plans what follows from a run that could be made; tells how it went in the end. */
  private RunReport planAfter(RunPlan plan, CrashLab lab, RunReport report) {
    if (options.replay().equals(RunPlan.GOLDEN.id())) {
      return report;
    }
    if (plan.isGolden()) {
      planSingles(lab.scenario());
      return report;
    }
    boolean seconds = options.crashesDuringRecovery() > 0 || options.pairs();
    if (plan.faults().size() != 1 || !seconds || !report.passed()) {
      return report;
    }
    RunReport other = attempt(plan, lab, ATTEMPTS + 1);
    if (!other.passed()) {
      return other;
    }
    List<CommitPoint> alike = new ArrayList<>(report.trace());
    alike.removeIf(point -> other.trace().stream().noneMatch(point::isSameAs));
    List<CommitPoint> byChance = new ArrayList<>();
    byChance.addAll(plannable(report.trace(), Phase.RECOVERY, lab));
    byChance.addAll(plannable(report.trace(), Phase.RETRY, lab));
    byChance.removeAll(alike);
    List<RunPlan> second = new ArrayList<>();
    if (options.crashesDuringRecovery() > 0) {
      second.addAll(plan.withSecond(plannable(alike, Phase.RECOVERY, lab)));
    }
    if (options.pairs()) {
      second.addAll(plan.withSecond(plannable(alike, Phase.RETRY, lab)));
    }
    List<RunPlan> next = wanted(second);
    if (next.isEmpty() && options.replay().startsWith(plan.id() + "+")) {
      throw new CrashLabException(
          Problem.Kind.UNKNOWN_REPLAY,
          "No run has the id %s: two runs with its first fault did not both pass the point of its second. Passed by both were %s. Replay again, or make the recovery do the same each time."
              .formatted(options.replay(), alike));
    }
    for (int i = next.size() - 1; i >= 0; i--) {
      planned.addFirst(next.get(i));
    }
    return byChance.isEmpty()
        ? report
        : report.withNote(
            "Without a second fault, as only one of two runs passed it: " + byChance + ".");
  }

  private static List<CommitPoint> plannable(List<CommitPoint> passed, Phase phase, CrashLab lab) {
    return RunPlan.plannable(passed, phase, lab.scenario()::isByChance);
  }

  private void planSingles(Scenario<?> scenario) {
    List<CommitPoint> points = golden.plannable();
    if (options.carriers().contains(Carrier.FORKED) && forkSource.isEmpty()) {
      throw new CrashLabException(
          Problem.Kind.INCOMPLETE_SCENARIO,
          "A forked JVM cannot describe this scenario, as it comes from a lambda or from a class without a constructor without arguments.");
    }
    if (options.carriers().contains(Carrier.DRILL)) {
      requireDrillable(scenario);
    }
    for (Carrier carrier : Carrier.values()) {
      if (options.carriers().contains(carrier)) {
        planned.addAll(wanted(RunPlan.singles(carrier, points, scenario.retries() > 0)));
      }
    }
    if (planned.isEmpty()) {
      throw new CrashLabException(
          Problem.Kind.UNKNOWN_REPLAY,
          "No run has the id %s. Those with one fault are: %s. An id is of one operation, and of code that commits what it did when the id was shown."
              .formatted(options.replay(), ids(points, scenario)));
    }
  }

  private String ids(List<CommitPoint> points, Scenario<?> scenario) {
    return options.carriers().stream()
        .flatMap(carrier -> RunPlan.singles(carrier, points, scenario.retries() > 0).stream())
        .map(RunPlan::id)
        .collect(Collectors.joining(", "));
  }

  private static void requireDrillable(Scenario<?> scenario) {
    Drill drill = scenario.drill();
    if (drill == null) {
      throw new CrashLabException(
          Problem.Kind.INCOMPLETE_SCENARIO,
          "The carrier DRILL needs what is to befall the resources. Describe it with drill(…).");
    }
    if (drill.mayRepeat() && scenario.expectations().stream().anyMatch(Expectation::countsAlike)) {
      throw new CrashLabException(
          Problem.Kind.INCOMPLETE_SCENARIO,
          "After a drill that may repeat, times(n) cannot tell a repeat from what is missing. Expect the values, with inOrder(…).");
    }
  }

  /** All, or the one to be replayed and those that lead to it. */
  private List<RunPlan> wanted(List<RunPlan> plans) {
    String replay = options.replay();
    return plans.stream()
        .filter(
            plan ->
                replay.isEmpty() || replay.equals(plan.id()) || replay.startsWith(plan.id() + "+"))
        .toList();
  }

  /** The same for the same plan and seed, so that a replay meets the same partition. */
  private String key(RunPlan plan, int attempt) {
    SplittableRandom random =
        new SplittableRandom(options.seed() * 31 + plan.id().hashCode() + attempt - 1);
    return "k1%011x".formatted(random.nextLong(1L << 44));
  }

  ExplorationReport report() {
    return new ExplorationReport(operation, options.seed(), golden.plannable(), runs);
  }

  @Override
  public void close() {
    truths.close();
    forks.close();
  }
}
