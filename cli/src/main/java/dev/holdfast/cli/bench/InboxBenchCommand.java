package dev.holdfast.cli.bench;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code holdfast bench inbox}. */
@Command(
    name = "inbox",
    description = {
      "Measures consumers that write a row for each message: Holdfast's, the usual loop that commits"
          + " the rows and then the offsets, one that keeps a table of what it received, and Eventuate"
          + " Tram's detector of duplicates, which does it in a transaction for each message.",
      "Rounds take turns, the median counts."
    })
final class InboxBenchCommand extends Benchmark implements Callable<Integer> {
  @Option(
      names = "--scenarios",
      paramLabel = "A,B",
      description = "offsets, message_id (default: all).")
  private @Nullable String scenarios;

  @Option(
      names = "--contenders",
      paramLabel = "A,B",
      description =
          "holdfast, holdfast-batch, plain-consumer, plain-batch, received-table, eventuate (default: all).")
  private @Nullable String contenders;

  @Option(
      names = "--messages",
      paramLabel = "N",
      description = "What is to be handled (default: 50000).")
  private @Nullable String messages;

  @Override
  public Integer call() {
    return start("dev.holdfast.benchmarks.InboxMain", options(scenarios, contenders, messages));
  }
}
