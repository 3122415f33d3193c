package dev.holdfast.benchmarks;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The program behind {@code holdfast bench eventlog}. */
@Command(
    name = "eventlog",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Measures logs of events side by side, on the same PostgreSQL.")
public final class EventMain extends BenchmarkCommand {
  @Option(
      names = "--operations",
      paramLabel = "N",
      defaultValue = "20000",
      description = "Events that a run appends (default: ${DEFAULT-VALUE}).")
  private int appends;

  @Option(
      names = "--events",
      paramLabel = "N",
      defaultValue = "1000000",
      description = "Events that are there to be read (default: ${DEFAULT-VALUE}).")
  private int events;

  /** Runs it and exits with its status. */
  public static void main(String[] arguments) {
    exit(new EventMain(), arguments);
  }

  static CommandLine commandLine() {
    return commandLine(new EventMain());
  }

  @Override
  public Integer call() throws IOException {
    AxonSupport.leftOut().ifPresent(this::say);
    List<EventScenario> chosen =
        scenarios(Arrays.asList(EventScenario.values()), EventScenario::id);
    List<EventContender> invited = contenders(EventBenchmark.CONTENDERS, EventContender::name);
    check("--operations", appends, 100, 10_000_000);
    check("--events", events, 100, 10_000_000);
    int rounds = rounds();
    return measure(
        "PostgreSQL; Java is " + Runtime.version(),
        CountedServer::start,
        (server, machine, out) -> {
          CountedReport<EventScenario> report =
              new EventBenchmark(server, chosen, invited, appends, events, out)
                  .rounds()
                  .run(rounds);
          return new Outcome(
              report.text(),
              report.document(machine.describe(), server.fileSystem()),
              report.isComplete());
        });
  }
}
