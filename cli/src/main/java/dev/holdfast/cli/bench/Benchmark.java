package dev.holdfast.cli.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * What all of {@code holdfast bench} have in common. What an option may be is known, and said, by
 * the program that is started.
 */
abstract class Benchmark {
  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "Rounds that count, after a warm-up (default: 3).")
  private @Nullable String rounds;

  @Option(names = "--json", paramLabel = "FILE", description = "Writes the figures there, as JSON.")
  private @Nullable String json;

  @Option(
      names = "--java",
      paramLabel = "DIR",
      description =
          "The JDK to measure on, 17 or newer (default: the one that this runs on, from JAVA_HOME or"
              + " PATH).")
  private @Nullable Path java;

  /**
   * @param options of the command itself, those that are not given included
   * @return the program's exit status
   */
  final int start(String mainClass, Map<String, @Nullable String> options) {
    List<String> arguments = new ArrayList<>();
    options.forEach((option, value) -> add(arguments, option, value));
    add(arguments, "--rounds", rounds);
    add(arguments, "--json", json);
    // An option of the command above, which all have.
    OptionSpec debug = spec.findOption("--debug");
    if (debug != null && Boolean.TRUE.equals(debug.getValue())) {
      arguments.add("--debug");
    }
    return BenchmarkProcess.run(java, mainClass, arguments);
  }

  private static void add(List<String> arguments, String option, @Nullable String value) {
    if (value != null) {
      arguments.add(option);
      arguments.add(value);
    }
  }

  /** Options that may be {@code null}, in their order. */
  static Map<String, @Nullable String> options(
      @Nullable String scenarios, @Nullable String contenders, @Nullable String messages) {
    Map<String, @Nullable String> options = new LinkedHashMap<>();
    options.put("--scenarios", scenarios);
    options.put("--contenders", contenders);
    options.put("--messages", messages);
    return options;
  }
}
