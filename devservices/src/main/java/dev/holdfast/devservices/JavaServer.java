package dev.holdfast.devservices;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A server that runs in a JVM of its own, on this program's class path, on one port. */
abstract class JavaServer implements AutoCloseable {
  private static final Duration START_TIMEOUT = Duration.ofSeconds(90);

  private final ServerHome home;
  private final Kind kind;
  private final Port port = Port.free();
  private final ServerLife life;

  /**
   * What is run.
   *
   * @param name of the server, for people
   * @param main given the server's directory and its port
   * @param readyFile the name of the file that the program leaves there when it serves clients
   * @param heap as in {@code -Xmx}
   */
  record Kind(String name, Class<?> main, String readyFile, String heap) {}

  JavaServer(ServerHome home, Kind kind) {
    this.home = home;
    this.kind = kind;
    this.life =
        new ServerLife(
            home,
            new ServerLife.Program(
                kind.name(),
                START_TIMEOUT,
                "TERM",
                "KILL",
                this::prepare,
                this::command,
                () -> Files.exists(home.file(kind.readyFile()))),
            port);
  }

  /** Returns when it serves clients. */
  void launch() {
    life.launchFirst();
  }

  /** Returns the port on 127.0.0.1; it stays the same over restarts. */
  public int port() {
    return port.number();
  }

  /** Crashes the server with SIGKILL. Does nothing when the server is not running. */
  public synchronized void kill() {
    life.kill();
  }

  /** Starts the server again on the same data and port, stopping it first when it is running. */
  public synchronized void restart() {
    life.restart();
  }

  /** Shuts the server down in order. Does nothing when it is not running. */
  public synchronized void stop() {
    life.stop();
  }

  /** Stops the server's process where it is (SIGSTOP), until {@link #resume}. */
  public synchronized void pause() {
    life.running().pause();
  }

  /** Lets the process that {@link #pause} stopped run on. */
  public synchronized void resume() {
    life.running().resume();
  }

  /** Stops the server and deletes its directory. */
  @Override
  public synchronized void close() {
    life.close();
  }

  private void prepare() {
    try {
      Files.deleteIfExists(home.file(kind.readyFile()));
      Files.createDirectories(home.data());
    } catch (IOException e) {
      throw new DevServiceException(
          "Cannot write to the directory of %s: %s. Nothing was started."
              .formatted(kind.name(), e.getMessage()),
          e);
    }
  }

  private List<String> command() {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx" + kind.heap(),
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Dlogback.configurationFile=dev/holdfast/devservices/kafka-logback.xml",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        System.getProperty("java.class.path"),
        kind.main().getName(),
        home.file("").toString(),
        Integer.toString(port()));
  }
}
