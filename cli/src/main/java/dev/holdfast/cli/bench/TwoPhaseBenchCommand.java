package dev.holdfast.cli.bench;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code holdfast bench twophase}. */
@Command(
    name = "twophase",
    description = {
      "Measures commits in two databases: Narayana and Atomikos, each with its log and at its best"
          + " settings, PostgreSQL's prepared transactions by SQL without a log, and as a floor two"
          + " plain commits, which are not atomic. Counts the forced writes of both databases.",
      "Rounds take turns, the median counts."
    })
final class TwoPhaseBenchCommand extends Benchmark implements Callable<Integer> {
  @Option(
      names = "--scenarios",
      paramLabel = "A,B",
      description =
          "threads_1, threads_4, threads_16, where the reply may come before the second phase, and"
              + " sync_1, sync_4, sync_16, where it may not (default: all).")
  private @Nullable String scenarios;

  @Option(
      names = "--contenders",
      paramLabel = "A,B",
      description =
          "holdfast, narayana, atomikos, raw-xa, and the floor two-commits (default: all).")
  private @Nullable String contenders;

  @Option(
      names = "--operations",
      paramLabel = "N",
      description = "Commits that a run times (default: 4000).")
  private @Nullable String operations;

  @Override
  public Integer call() {
    Map<String, @Nullable String> options = new LinkedHashMap<>();
    options.put("--scenarios", scenarios);
    options.put("--contenders", contenders);
    options.put("--operations", operations);
    return start("dev.holdfast.benchmarks.TwoPhaseMain", options);
  }
}
