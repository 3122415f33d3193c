package dev.holdfast.cli.bench;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code holdfast bench workflow}. */
@Command(
    name = "workflow",
    description = {
      "Measures engines for workflows: Holdfast's and DBOS Transact, on the same PostgreSQL, with"
          + " workflows of two recorded steps and one whose row is in the same commit as its record."
          + " Counts statements, commits and forced writes of the server. Both run each workflow in"
          + " a virtual thread where the JDK has them: name one of 21 or newer by --java.",
      "Rounds take turns, the median counts."
    })
final class WorkflowBenchCommand extends Benchmark implements Callable<Integer> {
  @Option(
      names = "--scenarios",
      paramLabel = "A,B",
      description =
          "inflight_1, inflight_16, inflight_128, completed workflows a second with so many in flight,"
              + " and p50_1, p99_16, how long one takes (default: all).")
  private @Nullable String scenarios;

  @Option(
      names = "--contenders",
      paramLabel = "A,B",
      description = "holdfast, dbos (default: all).")
  private @Nullable String contenders;

  @Option(
      names = "--operations",
      paramLabel = "N",
      description = "Workflows that a run times (default: 4000).")
  private @Nullable String operations;

  @Override
  public Integer call() {
    Map<String, @Nullable String> options = new LinkedHashMap<>();
    options.put("--scenarios", scenarios);
    options.put("--contenders", contenders);
    options.put("--operations", operations);
    return start("dev.holdfast.benchmarks.WorkflowMain", options);
  }
}
