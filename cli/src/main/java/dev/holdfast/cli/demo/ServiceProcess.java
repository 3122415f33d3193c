package dev.holdfast.cli.demo;

import dev.holdfast.HoldfastException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Keeps an instance of a service running, as a process manager does: whenever the process ends, by
 * our kill or by itself, another is started at once. Thread-safe.
 */
final class ServiceProcess implements AutoCloseable {
  /** A service that ends by itself this often cannot run here. */
  private static final int MOST_STARTS = 200;

  private final List<String> command;
  private final Path log;
  private final Map<String, String> environment;
  private @Nullable Process process;
  private boolean closed;
  private int starts;
  private int kills;

  /**
   * @param environment what it finds in its environment besides what this program does
   */
  ServiceProcess(Wiring.Address address, Map<String, String> environment, Path log) {
    this.log = log;
    this.environment = Map.copyOf(environment);
    this.command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xshare:auto",
            "-Xmx256m",
            // Otherwise every answer waits 40 ms for a delayed acknowledgment.
            "-Dsun.net.httpserver.nodelay=true",
            "-Dholdfast.log=INFO",
            "-Dholdfast.log.clients=WARN",
            "-cp",
            System.getProperty("java.class.path"),
            DemoService.class.getName()));
    command.addAll(address.arguments());
  }

  synchronized void start() {
    if (closed || starts++ >= MOST_STARTS) {
      return;
    }
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
      builder.environment().putAll(environment);
      Process started = builder.start();
      process = started;
      started.onExit().thenRun(this::start);
    } catch (IOException e) {
      throw new HoldfastException(
          "A service could not be started: " + e.getMessage() + ". The demo is over.", e);
    }
  }

  /** SIGKILL; the next one starts when this one is gone. */
  synchronized void kill() {
    if (process != null) {
      process.destroyForcibly();
      kills++;
    }
  }

  synchronized int kills() {
    return kills;
  }

  /** The end of what the service had to say, for a demo that cannot go on. */
  String lastWords() {
    try {
      List<String> lines = Files.readAllLines(log);
      return String.join("\n", lines.subList(Math.max(0, lines.size() - 30), lines.size()));
    } catch (IOException e) {
      return "(no log: " + e.getMessage() + ")";
    }
  }

  @Override
  public void close() {
    Process last;
    synchronized (this) {
      closed = true;
      last = process;
    }
    if (last != null) {
      last.destroyForcibly().onExit().join();
    }
  }
}
