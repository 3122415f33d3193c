package dev.holdfast.benchmarks;

import java.util.LinkedHashMap;
import java.util.Map;
import javax.sql.DataSource;

/** One contender with so many workflows in flight, once. */
final class WorkflowRun {
  private final CountedServer server;
  private final WorkflowContender contender;
  private final WorkflowScenario scenario;
  private final int workflows;

  /**
   * @param workflows that are timed
   */
  WorkflowRun(
      CountedServer server, WorkflowContender contender, WorkflowScenario scenario, int workflows) {
    this.server = server;
    this.contender = contender;
    this.scenario = scenario;
    this.workflows = workflows;
  }

  /**
   * @param rate completed workflows a second
   * @param p50 in milliseconds
   * @param p99 in milliseconds
   * @param statements that the server was sent for each workflow
   * @param commits of the server for each workflow, also of what only reads
   * @param forcedWrites of the server's log for each workflow
   */
  record Measured(
      double rate, double p50, double p99, double statements, double commits, double forcedWrites) {

    Map<String, Double> each() {
      Map<String, Double> each = new LinkedHashMap<>();
      each.put(WorkflowBenchmark.STATEMENTS.key(), statements);
      each.put(WorkflowBenchmark.COMMITS.key(), commits);
      each.put(WorkflowBenchmark.FORCED_WRITES.key(), forcedWrites);
      return each;
    }
  }

  Measured measure() {
    int all = Operations.all(scenario.inFlight(), workflows);
    server.clear();
    CountedServer.Counts before;
    Figures times;
    double rate;
    try {
      contender.prepare(server);
      before = server.counts();
      try (WorkflowEntry entry = contender.enter(server, scenario)) {
        Operations operations =
            new Operations(scenario.inFlight(), workflows, number -> run(entry, number));
        operations.run();
        rate = operations.rate();
        times = Figures.latency(operations.millis(), Arrivals.NOT_COUNTED);
      }
    } catch (BenchmarkFailure e) {
      throw e;
    } catch (Exception e) {
      throw new BenchmarkFailure(contender.name() + " failed", e);
    }
    CountedServer.Counts after = server.counts();
    check(all);
    return new Measured(
        rate,
        times.p50(),
        times.p99(),
        (double) (after.statements() - before.statements()) / all,
        (double) (after.commits() - before.commits()) / all,
        (double) (after.forcedWrites() - before.forcedWrites()) / all);
  }

  private static void run(WorkflowEntry entry, long number) throws Exception {
    String result = entry.run(number);
    if (!Payload.text(number).equals(result)) {
      throw new BenchmarkFailure(
          "Workflow %,d has another one's result, or none: %s".formatted(number, result));
    }
  }

  /** Its rows are there once each, and so is what it recorded. */
  private void check(long all) {
    DataSource database = server.database();
    EntryTable.check(database, all);
    long recorded = contender.recorded(database);
    if (recorded != all) {
      throw new BenchmarkFailure(
          "%,d workflows have ended, and %,d are recorded with all their steps"
              .formatted(all, recorded));
    }
  }
}
