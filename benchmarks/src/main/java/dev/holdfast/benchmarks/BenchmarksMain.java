package dev.holdfast.benchmarks;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The program behind {@code holdfast bench outbox}. */
@Command(
    name = "outbox",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Measures outboxes side by side, on the same PostgreSQL and Kafka.")
public final class BenchmarksMain extends BenchmarkCommand {
  @Option(
      names = "--messages",
      paramLabel = "N",
      defaultValue = "200000",
      description = "The backlog of drain (default: ${DEFAULT-VALUE}).")
  private int messages;

  /** Runs it and exits with its status. */
  public static void main(String[] arguments) {
    exit(new BenchmarksMain(), arguments);
  }

  static CommandLine commandLine() {
    return commandLine(new BenchmarksMain());
  }

  @Override
  public Integer call() throws IOException {
    List<Scenario> chosen = scenarios(Arrays.asList(Scenario.values()), Scenario::id);
    List<Contender> invited = contenders(OutboxBenchmark.CONTENDERS, Contender::name);
    Plan plan = Plan.of(messages(messages, BestSettings.SLOW_DIVISOR), rounds());
    if (chosen.stream()
        .noneMatch(s -> invited.stream().anyMatch(c -> c.takesPart(s.measurement())))) {
      throw refused("None of the contenders takes part in any of the scenarios.");
    }
    return measure(
        (servers, machine, out) -> {
          Report report = new OutboxBenchmark(servers, chosen, invited, out).run(plan);
          return new Outcome(
              report.text(), report.document(machine.describe()), report.isComplete());
        });
  }
}
