package dev.holdfast.cli.bench;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code holdfast bench eventlog}. */
@Command(
    name = "eventlog",
    description = {
      "Measures logs of events: Holdfast's, a table as one would write it by hand, plain rows of the"
          + " same bytes, and the driver's own COPY out as what nothing can be faster than.",
      "Rounds take turns, the median counts."
    })
final class EventLogBenchCommand extends Benchmark implements Callable<Integer> {
  @Option(
      names = "--scenarios",
      paramLabel = "A,B",
      description =
          "append_1, append_16, one event an append, by one or 16 at once; append_batch, 100 an"
              + " append; append_dcb, on a condition; read; rebuild (default: all).")
  private @Nullable String scenarios;

  @Option(
      names = "--contenders",
      paramLabel = "A,B",
      description = "holdfast, handwritten, insert, copy, axon (default: all; axon needs Java 21).")
  private @Nullable String contenders;

  @Option(
      names = "--operations",
      paramLabel = "N",
      description = "Events that a run appends (default: 20000).")
  private @Nullable String operations;

  @Option(
      names = "--events",
      paramLabel = "N",
      description = "Events that are there to be read (default: 1000000).")
  private @Nullable String events;

  @Override
  public Integer call() {
    Map<String, @Nullable String> options = new LinkedHashMap<>();
    options.put("--scenarios", scenarios);
    options.put("--contenders", contenders);
    options.put("--operations", operations);
    options.put("--events", events);
    return start("dev.holdfast.benchmarks.EventMain", options);
  }
}
