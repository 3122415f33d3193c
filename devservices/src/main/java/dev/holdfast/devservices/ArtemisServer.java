package dev.holdfast.devservices;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * An ActiveMQ Artemis server, a broker for JMS, in a child process of this program, which can be
 * crashed, paused and started again. It listens on 127.0.0.1 only, and lets everybody in.
 *
 * <p>Port and data stay the same over {@link #restart}, and are gone with {@link #close}. Queues
 * are made when they are used, except those whose names begin with {@link #NOT_CREATED}. A message
 * that was rolled back ten times goes to the queue {@link #DEAD_LETTERS}.
 *
 * <p>When this program ends without {@link #close}, even by SIGKILL, the server is ended within
 * seconds. It runs on this program's class path, on which {@code artemis-jakarta-server} has to be,
 * and needs about 150 MB. Safe for use by several threads; every wait is bounded. All methods throw
 * {@link DevServiceException} when the server does not do what was asked.
 */
public final class ArtemisServer implements AutoCloseable {
  /** How the names of queues begin that are not made by being used. */
  public static final String NOT_CREATED = "missing.";

  /** The queue of messages that were rolled back too often. */
  public static final String DEAD_LETTERS = "dead.letters";

  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

  private final ServerHome home;
  private final Port port = Port.free();
  private final ServerLife life;

  private ArtemisServer(ServerHome home) {
    this.home = home;
    this.life =
        new ServerLife(
            home,
            new ServerLife.Program(
                "Artemis",
                START_TIMEOUT,
                "TERM",
                "KILL",
                this::prepare,
                this::command,
                () -> Files.exists(home.file(ArtemisMain.READY_FILE))),
            port);
  }

  /**
   * Starts a server on a temporary directory and a free port, and returns when it serves clients.
   *
   * @throws DevServiceException when it does not start; nothing is left running
   */
  public static ArtemisServer start() {
    ServerHome home = ServerHome.acquire(null, "holdfast-artemis-");
    return home.releasedUnless(
        () -> {
          ArtemisServer server = new ArtemisServer(home);
          server.life.launchFirst();
          return server;
        });
  }

  /** Returns the URL for Artemis' own connection factory. */
  public String url() {
    return "tcp://127.0.0.1:" + port();
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
      Files.deleteIfExists(home.file(ArtemisMain.READY_FILE));
      Files.createDirectories(home.data());
    } catch (IOException e) {
      throw new DevServiceException(
          "Cannot write to Artemis' directory: " + e.getMessage() + ". Nothing was started.", e);
    }
  }

  private List<String> command() {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx256m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Dlogback.configurationFile=dev/holdfast/devservices/kafka-logback.xml",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        System.getProperty("java.class.path"),
        ArtemisMain.class.getName(),
        home.file("").toString(),
        Integer.toString(port()));
  }
}
