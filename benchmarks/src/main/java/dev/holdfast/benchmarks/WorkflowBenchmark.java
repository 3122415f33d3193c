package dev.holdfast.benchmarks;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Engines for workflows side by side, on the same server. */
final class WorkflowBenchmark {
  static final List<WorkflowContender> CONTENDERS =
      List.of(new HoldfastWorkflowContender(), new DbosContender());

  static final CountedReport.Count STATEMENTS =
      new CountedReport.Count("statements_per_workflow", "statements");
  static final CountedReport.Count COMMITS =
      new CountedReport.Count("commits_per_workflow", "commits");
  static final CountedReport.Count FORCED_WRITES =
      new CountedReport.Count("forced_writes_per_workflow", "forced writes");

  private final CountedServer server;
  private final List<WorkflowScenario> scenarios;
  private final List<WorkflowContender> contenders;
  private final int workflows;
  private final PrintWriter progress;

  WorkflowBenchmark(
      CountedServer server,
      List<WorkflowScenario> scenarios,
      List<WorkflowContender> contenders,
      int workflows,
      PrintWriter progress) {
    this.server = server;
    this.scenarios = scenarios;
    this.contenders = contenders;
    this.workflows = workflows;
    this.progress = progress;
  }

  CountedRounds<WorkflowScenario, WorkflowContender> rounds() {
    return new CountedRounds<>(
        List.copyOf(
            scenarios.stream()
                .collect(
                    Collectors.groupingBy(
                        WorkflowScenario::inFlight, LinkedHashMap::new, Collectors.toList()))
                .values()),
        contenders,
        this::measure,
        () -> new CountedReport<>(form()),
        progress);
  }

  /** Of one run, since all of them have as many in flight. */
  private Map<WorkflowScenario, Counted> measure(
      WorkflowContender contender, List<WorkflowScenario> together) {
    WorkflowRun.Measured figures =
        new WorkflowRun(server, contender, together.get(0), workflows).measure();
    Map<WorkflowScenario, Counted> all = new LinkedHashMap<>();
    together.forEach(
        scenario -> all.put(scenario, new Counted(scenario.of(figures), figures.each())));
    return all;
  }

  private CountedReport.Form<WorkflowScenario> form() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("workflows", workflows);
    settings.put("recorded_steps", 2);
    settings.put("transactional_steps", 1);
    settings.put("result_bytes", Payload.BYTES);
    settings.put("row_bytes", Payload.BYTES);
    settings.put("postgres", BestSettings.WORKFLOW_POSTGRES);
    return new CountedReport.Form<>(
        "workflow", scenarios, contenders, List.of(STATEMENTS, COMMITS, FORCED_WRITES), settings);
  }
}
