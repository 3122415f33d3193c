package dev.holdfast.benchmarks;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The program behind {@code holdfast bench inbox}. */
@Command(
    name = "inbox",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Measures consumers side by side, on the same PostgreSQL and Kafka.")
public final class InboxMain extends BenchmarkCommand {
  private static final int LEAST_MESSAGES = 1_000;

  @Option(
      names = "--messages",
      paramLabel = "N",
      defaultValue = "50000",
      description = "What is to be handled (default: ${DEFAULT-VALUE}).")
  private int messages;

  /** Runs it and exits with its status. */
  public static void main(String[] arguments) {
    exit(new InboxMain(), arguments);
  }

  static CommandLine commandLine() {
    return commandLine(new InboxMain());
  }

  @Override
  public Integer call() throws IOException {
    List<InboxScenario> chosen =
        scenarios(Arrays.asList(InboxScenario.values()), InboxScenario::id);
    List<InboxContender> invited = contenders(InboxBenchmark.CONTENDERS, InboxContender::name);
    int count = messages(messages, LEAST_MESSAGES);
    int rounds = rounds();
    if (invited.stream().noneMatch(c -> chosen.stream().anyMatch(c.scenarios()::contains))) {
      throw refused("None of the contenders takes part in any of the scenarios.");
    }
    return measure(
        (servers, machine, out) -> {
          InboxBenchmark benchmark = new InboxBenchmark(servers, chosen, invited, count, out);
          benchmark.run(rounds);
          return new Outcome(
              benchmark.text(), benchmark.document(machine.describe()), benchmark.isComplete());
        });
  }
}
