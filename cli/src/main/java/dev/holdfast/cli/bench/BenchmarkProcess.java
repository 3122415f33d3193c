package dev.holdfast.cli.bench;

import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidConfiguration;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs a program of the module {@code benchmarks}, which speaks to the same terminal. */
final class BenchmarkProcess {
  /** Where the script {@code holdfast} runs from, which has built the module. */
  private static final String HOME = "holdfast.home";

  private BenchmarkProcess() {}

  /** Returns the program's exit status. */
  static int run(String mainClass, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx2g", "--enable-native-access=ALL-UNNAMED", "-cp", classPath()));
    command.add(mainClass);
    command.addAll(arguments);
    try {
      return new ProcessBuilder(command).inheritIO().start().waitFor();
    } catch (IOException e) {
      throw new HoldfastException(
          "The benchmarks could not be started: " + e.getMessage() + ". Nothing was measured.", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HoldfastException("Interrupted while benchmarks were running.", e);
    }
  }

  private static String classPath() {
    String home = System.getProperty(HOME);
    if (home == null || !Files.isDirectory(target(home).resolve("lib"))) {
      throw new InvalidConfiguration(
          "The benchmarks are not built, and nothing was started. They come with Holdfast's sources: run ./holdfast bench there, which builds them.");
    }
    return target(home).resolve("classes") + File.pathSeparator + target(home).resolve("lib/*");
  }

  private static Path target(String home) {
    return Path.of(home, "benchmarks", "target");
  }
}
