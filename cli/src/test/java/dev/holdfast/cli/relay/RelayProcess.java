package dev.holdfast.cli.relay;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cli.Main;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.core.ConditionTimeoutException;

/** {@code holdfast relay} in a process of its own. */
final class RelayProcess implements AutoCloseable {
  static final Duration BOUND = Duration.ofSeconds(60);

  /** As long as its servers may take, if it has some of its own. */
  private static final Duration LONGEST_START = Duration.ofMinutes(3);

  private static final Pattern HEALTH = Pattern.compile("http://127\\.0\\.0\\.1:(\\d+)/health");

  private final HttpClient http = HttpClient.newHttpClient();
  private final Process process;
  private final Path log;

  private RelayProcess(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  /** Starts it, with a health port, and returns when it answers there. */
  static RelayProcess start(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.add("-Dholdfast.kafka.archive=" + Boolean.getBoolean("holdfast.kafka.archive"));
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.addAll(List.of(Main.class.getName(), "relay", "--health-port", "0"));
    command.addAll(List.of(arguments));
    try {
      Path log = Files.createTempFile("holdfast-relay", ".log");
      log.toFile().deleteOnExit();
      RelayProcess relay =
          new RelayProcess(
              new ProcessBuilder(command)
                  .redirectErrorStream(true)
                  .redirectOutput(log.toFile())
                  .start(),
              log);
      try {
        await()
            .atMost(LONGEST_START)
            .until(() -> HEALTH.matcher(relay.log()).find() || !relay.process.isAlive());
      } catch (ConditionTimeoutException e) {
        relay.close();
        throw new AssertionError("the relay did not start:\n" + relay.log(), e);
      }
      return relay;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String log() {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What an endpoint answers. */
  record Answer(int status, String body) {
    /** The first channel of {@code /health}. */
    JsonNode channel() {
      try {
        return new ObjectMapper().readTree(body).path("channels").path(0);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    String phase() {
      return channel().path("phase").asText();
    }

    /** A figure of {@code /metrics}. */
    double figure(String name) {
      return body.lines()
          .filter(line -> line.startsWith(name + "{"))
          .map(line -> line.substring(line.lastIndexOf(' ') + 1))
          .mapToDouble(Double::parseDouble)
          .findFirst()
          .orElseThrow(() -> new AssertionError("no " + name + " in\n" + body));
    }
  }

  Answer get(String path) {
    Matcher port = HEALTH.matcher(log());
    if (!port.find()) {
      throw new AssertionError("the relay did not start:\n" + log());
    }
    try {
      HttpResponse<String> response =
          http.send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port.group(1) + path))
                  .timeout(BOUND)
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      return new Answer(response.statusCode(), response.body());
    } catch (IOException e) {
      throw new AssertionError("no answer; the relay said:\n" + log(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  boolean leads() {
    return process.isAlive() && get("/health").phase().equals("LEADING");
  }

  /** The processes that it has started. */
  List<ProcessHandle> servers() {
    return process.descendants().toList();
  }

  void kill() {
    process.destroyForcibly().onExit().join();
  }

  /** Sends SIGTERM and returns the status with which it ended. */
  int terminate() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(BOUND.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new AssertionError("still running; it said:\n" + log());
    }
    return process.exitValue();
  }

  @Override
  public void close() {
    kill();
  }
}
