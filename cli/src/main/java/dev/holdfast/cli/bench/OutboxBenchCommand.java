package dev.holdfast.cli.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code holdfast bench outbox}. What an option may be is known, and said, by the program that is
 * started.
 */
@Command(
    name = "outbox",
    description = {
      "Measures outboxes: Holdfast, gruelbox, namastack, Debezium's embedded engine and a hand-written"
          + " SKIP LOCKED poller, each at its best settings, and as floors one more ordinary row in"
          + " the transaction and Kafka's producer alone.",
      "Rounds take turns, the median counts. All of it takes many minutes."
    })
final class OutboxBenchCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(
      names = "--scenarios",
      paramLabel = "A,B",
      description =
          "commit, commit_alone, drain, drain_plain, latency_p50, latency_p99, latency_plain_p50,"
              + " latency_plain_p99, commit_held, drain_held (default: all).")
  private @Nullable String scenarios;

  @Option(
      names = "--contenders",
      paramLabel = "A,B",
      description =
          "holdfast, gruelbox, namastack, debezium, skip-locked, and the floors plain-row, kafka-raw"
              + " (default: all).")
  private @Nullable String contenders;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "Rounds that count, after a warm-up (default: 3).")
  private @Nullable String rounds;

  @Option(
      names = "--messages",
      paramLabel = "N",
      description = "The backlog of drain; slow contenders get a part (default: 200000).")
  private @Nullable String messages;

  @Option(names = "--json", paramLabel = "FILE", description = "Writes the figures there, as JSON.")
  private @Nullable String json;

  @Override
  public Integer call() {
    List<String> arguments = new ArrayList<>();
    add(arguments, "--scenarios", scenarios);
    add(arguments, "--contenders", contenders);
    add(arguments, "--rounds", rounds);
    add(arguments, "--messages", messages);
    add(arguments, "--json", json);
    // An option of the command above, which all have.
    OptionSpec debug = spec.findOption("--debug");
    if (debug != null && Boolean.TRUE.equals(debug.getValue())) {
      arguments.add("--debug");
    }
    return BenchmarkProcess.run("dev.holdfast.benchmarks.BenchmarksMain", arguments);
  }

  private static void add(List<String> arguments, String option, @Nullable String value) {
    if (value != null) {
      arguments.add(option);
      arguments.add(value);
    }
  }
}
