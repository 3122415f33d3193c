package dev.holdfast.benchmarks;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The program behind {@code holdfast bench twophase}. */
@Command(
    name = "twophase",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Measures commits in two databases side by side, on the same two PostgreSQL.")
public final class TwoPhaseMain extends BenchmarkCommand {
  private static final int LEAST_OPERATIONS = 100;
  private static final int MOST_OPERATIONS = 1_000_000;

  @Option(
      names = "--operations",
      paramLabel = "N",
      defaultValue = "4000",
      description = "Commits that a run times (default: ${DEFAULT-VALUE}).")
  private int operations;

  /** Runs it and exits with its status. */
  public static void main(String[] arguments) {
    exit(new TwoPhaseMain(), arguments);
  }

  static CommandLine commandLine() {
    return commandLine(new TwoPhaseMain());
  }

  @Override
  public Integer call() throws IOException {
    List<TwoPhaseScenario> chosen =
        scenarios(Arrays.asList(TwoPhaseScenario.values()), TwoPhaseScenario::id);
    List<TwoPhaseContender> invited =
        contenders(TwoPhaseBenchmark.CONTENDERS, TwoPhaseContender::name);
    check("--operations", operations, LEAST_OPERATIONS, MOST_OPERATIONS);
    int rounds = rounds();
    return measure(
        "two PostgreSQL",
        TwoPhaseServers::start,
        (servers, machine, out) -> {
          CountedReport<TwoPhaseScenario> report =
              new TwoPhaseBenchmark(servers, chosen, invited, operations, out).rounds().run(rounds);
          return new Outcome(
              report.text(),
              report.document(machine.describe(), servers.fileSystem()),
              report.isComplete());
        });
  }
}
