package dev.holdfast.crashtest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Makes JVMs for forked lives. The next one starts while the present one is lived in, so that
 * nobody waits for it.
 */
final class Forks implements AutoCloseable {
  private @Nullable Process next;

  /** A JVM in which nobody lives yet. */
  Process take() {
    Process taken = next == null ? fork() : next;
    next = fork();
    return taken;
  }

  private static Process fork() {
    try {
      return new ProcessBuilder(
              Path.of(System.getProperty("java.home"), "bin", "java").toString(),
              "-XX:+UseSerialGC",
              "-XX:TieredStopAtLevel=1",
              "-cp",
              System.getProperty("java.class.path"),
              ForkedMain.class.getName())
          .redirectError(ProcessBuilder.Redirect.INHERIT)
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException("No JVM could be forked", e);
    }
  }

  @Override
  public void close() {
    if (next != null) {
      next.destroyForcibly();
      next = null;
    }
  }
}
