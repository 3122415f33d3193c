package dev.holdfast.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The program behind {@code holdfast bench outbox}. */
@Command(
    name = "outbox",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Measures outboxes side by side, on the same PostgreSQL and Kafka.")
public final class BenchmarksMain implements Callable<Integer> {
  private static final int MOST_MESSAGES = 10_000_000;
  private static final int MOST_ROUNDS = 100;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(names = "--scenarios", paramLabel = "A,B", split = ",", description = "Only these.")
  private List<String> scenarios = new ArrayList<>();

  @Option(names = "--contenders", paramLabel = "A,B", split = ",", description = "Only these.")
  private List<String> contenders = new ArrayList<>();

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "3",
      description = "Rounds that count, after a warm-up (default: ${DEFAULT-VALUE}).")
  private int rounds;

  @Option(
      names = "--messages",
      paramLabel = "N",
      defaultValue = "200000",
      description = "The backlog of drain (default: ${DEFAULT-VALUE}).")
  private int messages;

  @Option(names = "--json", paramLabel = "FILE", description = "Writes the figures there, as JSON.")
  private @Nullable Path json;

  @Option(names = "--debug", description = "Shows stack traces with errors.")
  private boolean debug;

  /** Runs it and exits with its status. */
  public static void main(String[] arguments) {
    java.util.logging.LogManager.getLogManager().reset();
    // Log4j's API is on the class path without a backend, and says so.
    System.setProperty("log4j2.StatusLogger.level", "OFF");
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    BenchmarksMain main = new BenchmarksMain();
    CommandLine commandLine = new CommandLine(main);
    commandLine.setExecutionExceptionHandler(
        (error, command, arguments) -> {
          command.getErr().println("holdfast: " + error.getMessage() + " No figures were written.");
          if (main.debug) {
            error.printStackTrace(command.getErr());
          }
          return CommandLine.ExitCode.SOFTWARE;
        });
    return commandLine;
  }

  @Override
  public Integer call() throws IOException {
    List<Scenario> chosen =
        choose("--scenarios", scenarios, Arrays.asList(Scenario.values()), Scenario::id);
    List<Contender> invited =
        choose("--contenders", contenders, OutboxBenchmark.CONTENDERS, Contender::name);
    check("--rounds", rounds, 1, MOST_ROUNDS);
    check("--messages", messages, BestSettings.SLOW_DIVISOR, MOST_MESSAGES);
    requireWritable(json);
    if (chosen.stream()
        .noneMatch(s -> invited.stream().anyMatch(c -> c.takesPart(s.measurement())))) {
      throw refused("None of the contenders takes part in any of the scenarios.");
    }
    Plan plan = Plan.of(messages, rounds);
    PrintWriter out = spec.commandLine().getOut();
    out.println("Starting PostgreSQL and Kafka ...");
    out.flush();
    Machine machine = new Machine();
    try (Servers servers = Servers.start()) {
      Report report = new OutboxBenchmark(servers, chosen, invited, out).run(plan);
      out.print(report.text());
      out.flush();
      if (json != null) {
        new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .writeValue(json.toFile(), report.document(machine.describe()));
      }
      return report.isComplete() ? 0 : 1;
    }
  }

  private <T> List<T> choose(
      String option, List<String> names, List<T> all, Function<T, String> name) {
    for (String wanted : names) {
      if (all.stream().noneMatch(candidate -> name.apply(candidate).equals(wanted))) {
        throw refused(
            "%s names '%s', which there is not. There are %s."
                .formatted(option, wanted, String.join(", ", all.stream().map(name).toList())));
      }
    }
    return names.isEmpty()
        ? all
        : all.stream().filter(candidate -> names.contains(name.apply(candidate))).toList();
  }

  private void check(String option, int value, int least, int most) {
    if (value < least || value > most) {
      throw refused("%s is %d, and must be %d to %d.".formatted(option, value, least, most));
    }
  }

  /** Found out before minutes are spent on what cannot be written then. */
  private void requireWritable(@Nullable Path file) {
    if (file == null) {
      return;
    }
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null || !Files.isDirectory(directory) || Files.isDirectory(file)) {
      throw refused(
          "--json is %s, where no file can be written. Name a file in a directory that exists."
              .formatted(file));
    }
  }

  private ParameterException refused(String reason) {
    return new ParameterException(spec.commandLine(), reason + " Nothing was started.");
  }
}
