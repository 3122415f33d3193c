package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.HtmlReport;
import dev.holdfast.crashtest.report.JsonReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Collects what the crash tests of one test plan found, and writes it at the plan's end. */
final class ReportFiles implements AutoCloseable {
  private final List<ExplorationReport> reports = new ArrayList<>();

  synchronized void add(ExplorationReport report) {
    reports.add(report);
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
      Files.writeString(directory.resolve("crash-matrix.html"), HtmlReport.render(reports));
      Files.writeString(directory.resolve("crash-matrix.json"), JsonReport.render(reports));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "The crash lab's reports could not be written to " + directory, e);
    }
  }
}
