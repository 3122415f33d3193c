package dev.holdfast.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What the programs behind {@code holdfast bench} have in common. */
abstract class BenchmarkCommand implements Callable<Integer> {
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

  @Option(names = "--json", paramLabel = "FILE", description = "Writes the figures there, as JSON.")
  private @Nullable Path json;

  @Option(names = "--debug", description = "Shows stack traces with errors.")
  private boolean debug;

  /** Runs it and exits with its status. */
  static void exit(BenchmarkCommand command, String[] arguments) {
    java.util.logging.LogManager.getLogManager().reset();
    // Log4j's API is on the class path without a backend, and says so.
    System.setProperty("log4j2.StatusLogger.level", "OFF");
    System.exit(commandLine(command).execute(arguments));
  }

  static CommandLine commandLine(BenchmarkCommand main) {
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

  final int rounds() {
    check("--rounds", rounds, 1, MOST_ROUNDS);
    return rounds;
  }

  final int messages(int value, int least) {
    check("--messages", value, least, MOST_MESSAGES);
    return value;
  }

  final <T> List<T> scenarios(List<T> all, Function<T, String> name) {
    return choose("--scenarios", scenarios, all, name);
  }

  final <T> List<T> contenders(List<T> all, Function<T, String> name) {
    return choose("--contenders", contenders, all, name);
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

  final void check(String option, int value, int least, int most) {
    if (value < least || value > most) {
      throw refused("%s is %d, and must be %d to %d.".formatted(option, value, least, most));
    }
  }

  final void say(String line) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(line);
    out.flush();
  }

  final ParameterException refused(String reason) {
    return new ParameterException(spec.commandLine(), reason + " Nothing was started.");
  }

  /** What came of a benchmark. */
  record Outcome(String text, Map<String, Object> document, boolean isComplete) {}

  /** What a benchmark runs on. */
  interface StartedServers extends AutoCloseable {
    @Override
    void close();
  }

  /** A benchmark, once there are servers. */
  @FunctionalInterface
  interface Benchmark<S> {
    Outcome run(S servers, Machine machine, PrintWriter out);
  }

  /** On PostgreSQL and Kafka. */
  final int measure(Benchmark<Servers> benchmark) throws IOException {
    return measure("PostgreSQL and Kafka", Servers::start, benchmark);
  }

  /**
   * @param what is started, in words
   * @return the exit status
   */
  final <S extends StartedServers> int measure(
      String what, Supplier<S> start, Benchmark<S> benchmark) throws IOException {
    requireWritable(json);
    PrintWriter out = spec.commandLine().getOut();
    out.println("Starting " + what + " ...");
    out.flush();
    Machine machine = new Machine();
    try (S servers = start.get()) {
      Outcome outcome = benchmark.run(servers, machine, out);
      out.print(outcome.text());
      out.flush();
      if (json != null) {
        new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .writeValue(json.toFile(), outcome.document());
      }
      return outcome.isComplete() ? 0 : 1;
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
}
