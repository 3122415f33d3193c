package dev.holdfast.benchmarks;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The program behind {@code holdfast bench workflow}. */
@Command(
    name = "workflow",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Measures engines for workflows side by side, on the same PostgreSQL.")
public final class WorkflowMain extends BenchmarkCommand {
  private static final int LEAST_WORKFLOWS = 100;
  private static final int MOST_WORKFLOWS = 1_000_000;

  @Option(
      names = "--operations",
      paramLabel = "N",
      defaultValue = "4000",
      description = "Workflows that a run times (default: ${DEFAULT-VALUE}).")
  private int workflows;

  /** Runs it and exits with its status. */
  public static void main(String[] arguments) {
    exit(new WorkflowMain(), arguments);
  }

  static CommandLine commandLine() {
    return commandLine(new WorkflowMain());
  }

  @Override
  public Integer call() throws IOException {
    List<WorkflowScenario> chosen =
        scenarios(Arrays.asList(WorkflowScenario.values()), WorkflowScenario::id);
    List<WorkflowContender> invited =
        contenders(WorkflowBenchmark.CONTENDERS, WorkflowContender::name);
    check("--operations", workflows, LEAST_WORKFLOWS, MOST_WORKFLOWS);
    int rounds = rounds();
    return measure(
        "PostgreSQL; Java is " + Runtime.version(),
        CountedServer::start,
        (server, machine, out) -> {
          CountedReport<WorkflowScenario> report =
              new WorkflowBenchmark(server, chosen, invited, workflows, out).rounds().run(rounds);
          return new Outcome(
              report.text(),
              report.document(machine.describe(), server.fileSystem()),
              report.isComplete());
        });
  }
}
