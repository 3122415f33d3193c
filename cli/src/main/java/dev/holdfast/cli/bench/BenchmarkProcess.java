package dev.holdfast.cli.bench;

import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidConfiguration;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs a program of the module {@code benchmarks}, which speaks to the same terminal. */
final class BenchmarkProcess {
  /** Where the script {@code holdfast} runs from, which has built the module. */
  private static final String HOME = "holdfast.home";

  private BenchmarkProcess() {}

  /**
   * Returns the program's exit status.
   *
   * @param jdk whose java it runs on; this program's own when not set
   */
  static int run(@Nullable Path jdk, String mainClass, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(java(jdk).toString());
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

  private static Path java(@Nullable Path jdk) {
    Path home = jdk == null ? Path.of(System.getProperty("java.home")) : jdk;
    Path java = home.resolve("bin").resolve("java");
    if (!Files.isExecutable(java)) {
      throw new InvalidConfiguration(
          "--java is "
              + home
              + ", where there is no bin/java, and nothing was started. Name the directory of a JDK, 17 or newer.");
    }
    return java;
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
