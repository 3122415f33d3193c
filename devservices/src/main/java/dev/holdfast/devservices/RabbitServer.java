package dev.holdfast.devservices;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A RabbitMQ server in a child process of this program, which can be crashed, paused and started
 * again. It listens on 127.0.0.1 only, for the user {@code guest} with the password {@code guest}.
 *
 * <p>RabbitMQ does not come from Maven Central: the package {@code rabbitmq-server} of Debian or
 * Ubuntu has to be installed. Its service need not run, and is not touched.
 *
 * <p>Port and data stay the same over {@link #restart}, and are gone with {@link #close}. When this
 * program ends without it, even by SIGKILL, the server is ended within seconds. A start takes some
 * seven seconds. Safe for use by several threads; every wait is bounded. All methods throw {@link
 * DevServiceException} when the server does not do what was asked.
 */
public final class RabbitServer implements AutoCloseable {
  /** The largest message that it takes. */
  public static final int MAX_MESSAGE_BYTES = 10_000_000;

  private static final Path PROGRAM = Path.of("/usr/lib/rabbitmq/bin/rabbitmq-server");
  private static final Duration START_TIMEOUT = Duration.ofMinutes(2);

  /**
   * Erlang's nodes find one another through a daemon, which would stay behind when it was started
   * by a node. So there is one of our own: a child of the server, like the loop that ends it when
   * the server has gone. The environment says all that the server would look for elsewhere.
   */
  private static final String SCRIPT =
      """
      home=$1 port=$2 distribution=$3
      export HOME="$home" ERL_EPMD_PORT=$4 ERL_EPMD_ADDRESS=127.0.0.1 RUNNING_UNDER_SYSTEMD=yes
      export RABBITMQ_NODENAME=holdfast@localhost RABBITMQ_CONF_ENV_FILE="$home/none"
      export RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT=$port
      export RABBITMQ_DIST_PORT=$distribution RABBITMQ_LOGS=- RABBITMQ_LOG_BASE="$home/data/log"
      export RABBITMQ_MNESIA_BASE="$home/data" RABBITMQ_CONFIG_FILE="$home/rabbitmq"
      export RABBITMQ_ENABLED_PLUGINS_FILE="$home/plugins"
      epmd -address 127.0.0.1 -port $ERL_EPMD_PORT &
      epmd=$!
      (while kill -0 $$ 2>/dev/null; do sleep 0.2; done; kill $epmd) &
      exec %s
      """
          .formatted(PROGRAM);

  private final ServerHome home;
  private final Port port = Port.free();
  private final Port distributionPort = Port.free();
  private final Port epmdPort = Port.free();
  private final ServerLife life;

  private RabbitServer(ServerHome home) {
    this.home = home;
    this.life =
        new ServerLife(
            home,
            new ServerLife.Program(
                "RabbitMQ",
                START_TIMEOUT,
                "TERM",
                "KILL",
                this::prepare,
                this::command,
                this::serves),
            port,
            distributionPort,
            epmdPort);
  }

  /**
   * Starts a server on a temporary directory and a free port, and returns when it serves clients.
   *
   * @throws DevServiceException when RabbitMQ is not installed, or does not start
   */
  public static RabbitServer start() {
    if (!Files.isExecutable(PROGRAM)) {
      throw new DevServiceException(
          "There is no %s. Nothing was started. Install the package rabbitmq-server."
              .formatted(PROGRAM));
    }
    ServerHome home = ServerHome.acquire(null, "holdfast-rabbit-");
    return home.releasedUnless(
        () -> {
          RabbitServer server = new RabbitServer(home);
          server.life.launchFirst();
          return server;
        });
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
      Files.createDirectories(home.data());
      Files.writeString(home.file("plugins"), "[].\n");
      Files.writeString(
          home.file("rabbitmq.conf"),
          "disk_free_limit.absolute = 50MB%nmax_message_size = %d%n".formatted(MAX_MESSAGE_BYTES));
    } catch (IOException e) {
      throw new DevServiceException(
          "Cannot write to RabbitMQ's directory: " + e.getMessage() + ". Nothing was started.", e);
    }
  }

  private List<String> command() {
    return List.of(
        "/bin/sh",
        "-c",
        SCRIPT,
        "rabbitmq",
        home.file("").toString(),
        Integer.toString(port()),
        Integer.toString(distributionPort.number()),
        Integer.toString(epmdPort.number()));
  }

  /** Whether it answers a greeting of AMQP 0-9-1. */
  private boolean serves() {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(Ports.loopback(), port()), 500);
      socket.setSoTimeout(2_000);
      socket.getOutputStream().write("AMQP".getBytes(StandardCharsets.US_ASCII));
      socket.getOutputStream().write(new byte[] {0, 0, 9, 1});
      return socket.getInputStream().read() >= 0;
    } catch (IOException e) {
      return false;
    }
  }
}
