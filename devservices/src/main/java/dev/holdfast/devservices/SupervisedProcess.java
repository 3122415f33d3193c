package dev.holdfast.devservices;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A server process beneath a supervising shell (see {@code supervise.sh}), which ends it when this
 * JVM dies without having done so itself. While the shell runs, the server's process id is not
 * given to another process, so that a signal never reaches a stranger.
 */
final class SupervisedProcess {
  private static final int LOG_TAIL_BYTES = 3_000;

  private final String name;
  private final Process supervisor;
  private final long pid;
  private final Path log;

  private SupervisedProcess(String name, Process supervisor, long pid, Path log) {
    this.name = name;
    this.supervisor = supervisor;
    this.pid = pid;
    this.log = log;
  }

  /** What to run, and what becomes of it when this JVM dies. */
  record Launch(
      String name, List<String> command, Path log, @Nullable Path scratch, String orphanSignal) {}

  static SupervisedProcess start(Launch launch) {
    List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", script(), "supervise"));
    command.add(launch.log().toString());
    Path scratch = launch.scratch();
    command.add(scratch == null ? "" : scratch.toString());
    command.add(launch.orphanSignal());
    command.addAll(launch.command());
    try {
      Process supervisor =
          new ProcessBuilder(command)
              .redirectError(ProcessBuilder.Redirect.appendTo(launch.log().toFile()))
              .start();
      BufferedReader output = supervisor.inputReader(StandardCharsets.UTF_8);
      String pid = output.readLine();
      if (pid == null) {
        throw new DevServiceException(
            "The supervising shell of %s ended before it started the server.%s"
                .formatted(launch.name(), tail(launch.log())));
      }
      return new SupervisedProcess(
          launch.name(), supervisor, Long.parseLong(pid.strip()), launch.log());
    } catch (IOException e) {
      throw new DevServiceException(
          "Cannot start %s, which is not running: %s".formatted(launch.name(), e.getMessage()), e);
    }
  }

  long pid() {
    return pid;
  }

  boolean isRunning() {
    return supervisor.isAlive();
  }

  void signal(String signal) {
    if (isRunning()) {
      Processes.signal(signal, pid);
    }
  }

  /** Kills the server and all its children, and returns when they are gone. */
  void kill() {
    if (isRunning()) {
      // Stopped first, so that it forks none while its children are listed: one that was missed
      // would
      // see its parent's death itself, but later, and keep the next server from its shared memory.
      signal("STOP");
      Await.holdsWithin(
          Duration.ofSeconds(10), () -> Processes.isStopped(pid) || !Processes.isAlive(pid));
      List<Long> children = Processes.children(pid);
      Processes.signal("KILL", pid);
      Processes.signal("KILL", children);
      awaitExit(Duration.ofSeconds(20));
      Await.until(
          Duration.ofSeconds(20),
          () -> children.stream().noneMatch(Processes::isAlive),
          () -> "Children of " + name + " survive SIGKILL: " + children);
    }
  }

  /** Stops the server and all its children where they are. */
  void pause() {
    requireRunning();
    signal("STOP");
    awaitStopped(List.of(pid));
    List<Long> children = Processes.children(pid);
    Processes.signal("STOP", children);
    awaitStopped(children);
  }

  void resume() {
    requireRunning();
    Processes.signal("CONT", Processes.children(pid));
    signal("CONT");
  }

  /** Whether the server ended within the time. */
  boolean endsWithin(Duration timeout) {
    try {
      return supervisor.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DevServiceException(
          "Interrupted while waiting for " + name + " to end. It may still run; close it.", e);
    }
  }

  void awaitExit(Duration timeout) {
    if (!endsWithin(timeout)) {
      throw new DevServiceException(
          "%s (pid %d) did not end in %s and still runs.%s"
              .formatted(name, pid, timeout, tail(log)));
    }
  }

  void requireRunning() {
    if (!isRunning()) {
      throw new DevServiceException(name + " is not running. Start it with restart() first.");
    }
  }

  String logTail() {
    return tail(log);
  }

  private void awaitStopped(List<Long> pids) {
    Await.until(
        Duration.ofSeconds(10),
        () -> pids.stream().allMatch(p -> Processes.isStopped(p) || !Processes.isAlive(p)),
        () -> "Not all of %s stopped in 10 s: %s. Call resume().".formatted(name, pids));
  }

  /** The end of a log, prepared for the end of an exception's message. */
  static String tail(Path log) {
    if (!Files.exists(log)) {
      return " There is no log at " + log + ".";
    }
    try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
      long from = Math.max(0, file.length() - LOG_TAIL_BYTES);
      file.seek(from);
      byte[] bytes = new byte[(int) (file.length() - from)];
      file.readFully(bytes);
      return " The end of its log, %s:%n%s"
          .formatted(log, new String(bytes, StandardCharsets.UTF_8));
    } catch (IOException e) {
      return " Its log %s cannot be read: %s".formatted(log, e.getMessage());
    }
  }

  private static String script() {
    try (InputStream in = SupervisedProcess.class.getResourceAsStream("supervise.sh")) {
      if (in == null) {
        throw new DevServiceException(
            "supervise.sh is missing beside the classes of this module. Build it again.");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new DevServiceException("Cannot read supervise.sh: " + e.getMessage(), e);
    }
  }
}
