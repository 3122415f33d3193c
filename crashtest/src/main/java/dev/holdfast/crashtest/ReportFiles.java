package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.HtmlReport;
import dev.holdfast.crashtest.report.JsonReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Collects what the crash tests of one test plan found, and writes it at the plan's end: a page and
 * a JSON file for each test class, since build tools make a plan for each, and several at once.
 */
final class ReportFiles implements AutoCloseable {
  private final Map<String, List<ExplorationReport>> byClass = new LinkedHashMap<>();

  synchronized void add(Class<?> testClass, ExplorationReport report) {
    byClass.computeIfAbsent(testClass.getName(), name -> new ArrayList<>()).add(report);
  }

  /** The directory that is set, or one beside what the build tool makes. */
  private static Optional<Path> directory() {
    String set = System.getProperty(CrashTest.REPORT_PROPERTY);
    if (set != null) {
      return set.isEmpty() ? Optional.empty() : Optional.of(Path.of(set));
    }
    return Stream.of("target", "build")
        .map(Path::of)
        .filter(Files::isDirectory)
        .map(build -> build.resolve("crash-lab"))
        .findFirst();
  }

  @Override
  public synchronized void close() {
    directory().ifPresent(this::write);
  }

  private void write(Path directory) {
    try {
      Files.createDirectories(directory);
      for (Map.Entry<String, List<ExplorationReport>> each : byClass.entrySet()) {
        Files.writeString(
            directory.resolve(each.getKey() + ".html"), HtmlReport.render(each.getValue()));
        Files.writeString(
            directory.resolve(each.getKey() + ".json"), JsonReport.render(each.getValue()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "The crash lab's reports could not be written to " + directory, e);
    }
  }
}
