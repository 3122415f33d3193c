package dev.holdfast.cli.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * Where a demonstration keeps its logs, and with {@code --keep} its servers' data. Deleted, or
 * named, at the end, also when that comes by a signal: the servers and the service end themselves
 * when this program is gone.
 */
final class DemoDirectory implements AutoCloseable {
  private final Path path;
  private final boolean keep;
  private final Progress progress;
  private final Thread hook = new Thread(this::end, "holdfast-demo-end");

  private DemoDirectory(Path path, boolean keep, Progress progress) {
    this.path = path;
    this.keep = keep;
    this.progress = progress;
  }

  static DemoDirectory create(boolean keep, Progress progress) throws IOException {
    Path path = Files.createTempDirectory("holdfast-demo-");
    // The servers may run as another user, who has to reach their data.
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx--x--x"));
    DemoDirectory directory = new DemoDirectory(path, keep, progress);
    Runtime.getRuntime().addShutdownHook(directory.hook);
    return directory;
  }

  Path path() {
    return path;
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // A signal has come, and the hook is at work.
      return;
    }
    end();
  }

  private void end() {
    progress.clear();
    if (keep) {
      progress.say("Data and logs are kept in " + path);
    } else {
      delete();
    }
  }

  private void delete() {
    try (Stream<Path> files = Files.walk(path)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
