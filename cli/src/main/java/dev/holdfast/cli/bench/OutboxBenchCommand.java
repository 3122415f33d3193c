package dev.holdfast.cli.bench;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code holdfast bench outbox}. */
@Command(
    name = "outbox",
    description = {
      "Measures outboxes: Holdfast, gruelbox, namastack, Debezium's embedded engine and a hand-written"
          + " SKIP LOCKED poller, each at its best settings, and as floors one more ordinary row in"
          + " the transaction and Kafka's producer alone.",
      "Rounds take turns, the median counts. All of it takes many minutes."
    })
final class OutboxBenchCommand extends Benchmark implements Callable<Integer> {
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
      names = "--messages",
      paramLabel = "N",
      description = "The backlog of drain; slow contenders get a part (default: 200000).")
  private @Nullable String messages;

  @Override
  public Integer call() {
    return start(
        "dev.holdfast.benchmarks.BenchmarksMain", options(scenarios, contenders, messages));
  }
}
