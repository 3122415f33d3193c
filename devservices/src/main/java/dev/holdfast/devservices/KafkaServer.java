package dev.holdfast.devservices;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * A Kafka 4.4 server, one node that is broker and controller, in a child process of this program,
 * which can be crashed, paused and started again. It listens on 127.0.0.1 only.
 *
 * <p>Kafka acknowledges what the operating system has, so acknowledged records survive {@link
 * #kill}, though they would not survive a loss of power. Port and data stay the same over {@link
 * #restart}. The data survives {@link #close} only in a directory that was given by {@link
 * Builder#dataDirectory}. Topics are not created automatically: see {@link #createTopic}.
 *
 * <p>When this program ends without {@link #close}, even by SIGKILL, the server is ended within
 * seconds, and a temporary data directory is deleted. A server that was left on a given directory
 * nevertheless is ended before another starts there. Two programs cannot use one directory at once.
 *
 * <p>The server runs on this program's class path and needs about 300 MB. Who starts many of them
 * sets the system property {@code holdfast.kafka.archive=true}: then the first one makes an archive
 * of Kafka's classes in the user's cache, with which each one after it starts in half the processor
 * time. Instances are safe for use by several threads; an operation waits for the one before it.
 * Every wait is bounded. All methods throw {@link DevServiceException} when the server does not do
 * what was asked.
 */
public final class KafkaServer implements AutoCloseable {
  private static final Duration START_TIMEOUT = Duration.ofSeconds(90);

  private final ServerHome home;
  private final Map<String, String> settings;
  private final List<String> javaOptions;
  private final boolean withArchive;
  private final Port port;
  private final Port controllerPort = Port.free();
  private final @Nullable KafkaServer joined;
  private final @Nullable Port relayedPort;
  private final ServerLife life;
  private volatile @Nullable TcpRelay relay;
  private int relayTarget;

  private KafkaServer(Builder builder, ServerHome home) {
    this.home = home;
    this.settings = new LinkedHashMap<>(builder.settings);
    this.javaOptions = List.copyOf(builder.javaOptions);
    this.withArchive = builder.withArchive;
    this.port = Port.of(builder.port);
    this.joined = builder.joined;
    this.relayedPort = builder.relayed ? Port.free() : null;
    this.life =
        new ServerLife(
            home,
            new ServerLife.Program(
                "Kafka",
                START_TIMEOUT,
                "TERM",
                "KILL",
                this::writeSettings,
                this::command,
                () -> Files.exists(home.file(KafkaMain.READY_FILE))),
            relayedPort == null
                ? new Port[] {port, controllerPort}
                : new Port[] {port, controllerPort, relayedPort});
  }

  /** Returns a builder with the defaults: a temporary data directory and a free port. */
  public static Builder builder() {
    return new Builder();
  }

  /** Starts a server with the defaults, on a temporary data directory and a free port. */
  public static KafkaServer start() {
    return builder().start();
  }

  /** Returns the address for clients' {@code bootstrap.servers}. */
  public String bootstrapServers() {
    return "127.0.0.1:" + port();
  }

  /**
   * Returns the address for those clients whose network is the {@link #relay}.
   *
   * @throws DevServiceException when the server was not built with {@link Builder#relayed}
   */
  public String relayedBootstrapServers() {
    return "127.0.0.1:" + relay().port();
  }

  /**
   * Returns the relay in front of the listener at {@link #relayedBootstrapServers}. A broker tells
   * its clients where to connect; that listener tells them the relay's port, so that none gets past
   * it. Clients of {@link #bootstrapServers} are not touched by it.
   *
   * @throws DevServiceException when the server was not built with {@link Builder#relayed}
   */
  public TcpRelay relay() {
    TcpRelay open = relay;
    if (open == null) {
      throw new DevServiceException("This server has no relay. Build it with relayed().");
    }
    return open;
  }

  /** Returns the port on 127.0.0.1; it stays the same over restarts. */
  public int port() {
    return port.number();
  }

  /**
   * Returns the server's process id.
   *
   * @throws DevServiceException when the server is not running
   */
  public long pid() {
    return life.running().pid();
  }

  /**
   * Crashes the server with SIGKILL. It is gone and its ports are free when this returns. Does
   * nothing when the server is not running.
   */
  public synchronized void kill() {
    life.kill();
  }

  /**
   * Starts the server again on the same data and port, stopping it first when it is running.
   * Returns when it serves clients; after {@link #kill} that takes some two seconds longer, until
   * the controller takes the former incarnation for dead.
   */
  public synchronized void restart() {
    life.restart();
  }

  /**
   * Crashes the server and destroys its disk, then starts it anew on an empty one, at the same
   * address: topics, records and the state of transactions are gone.
   */
  public synchronized void loseDisk() {
    kill();
    Directories.delete(home.data());
    restart();
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

  /** Creates a topic and returns when each of its partitions has a leader that answers. */
  public synchronized void createTopic(String name, int partitions) {
    KafkaTopic.create(
        bootstrapServers(), name, partitions, () -> SupervisedProcess.tail(home.log()));
  }

  /** Stops the server and gives its directory up; a temporary one is deleted. */
  @Override
  public synchronized void close() {
    life.close();
    TcpRelay open = relay;
    if (open != null) {
      open.close();
    }
  }

  private List<String> command() {
    List<String> command = new ArrayList<>();
    KafkaArchive archive = KafkaArchive.ofThisProgram();
    command.add(KafkaArchive.java());
    command.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    if (withArchive) {
      command.addAll(archive.options());
    }
    command.addAll(javaOptions);
    // Whichever logging backend this program brings, and however it has configured it.
    command.add("-Dlogback.configurationFile=dev/holdfast/devservices/kafka-logback.xml");
    command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    // Log4j's API is on the class path without a backend, and says so.
    command.add("-Dlog4j2.StatusLogger.level=OFF");
    command.addAll(List.of("-cp", archive.classPath()));
    command.addAll(List.of(KafkaMain.class.getName(), home.file("").toString()));
    return command;
  }

  /** The lock on the directory is ours, so that a server that runs on it has lost its program. */
  private void endLeftOver() {
    Path pidFile = home.file(KafkaMain.PID_FILE);
    try {
      if (Files.exists(pidFile)) {
        String pid = Files.readString(pidFile).strip();
        if (!pid.isEmpty()) {
          home.endLeftOver(
              Long.parseLong(pid),
              command ->
                  command.contains(KafkaMain.class.getName())
                      && command.contains(home.file("").toString()),
              "KILL");
        }
      }
    } catch (IOException | NumberFormatException e) {
      throw new DevServiceException(
          "Cannot read a process id from %s. Nothing was started. Delete it if no Kafka runs there."
              .formatted(pidFile),
          e);
    }
  }

  /**
   * The relay in front of the second listener, whose port may have changed before a first start.
   */
  private void aimRelay() {
    TcpRelay open = relay;
    if (relayedPort != null && (open == null || relayTarget != relayedPort.number())) {
      if (open != null) {
        open.close();
      }
      relayTarget = relayedPort.number();
      relay = TcpRelay.to("127.0.0.1", relayTarget);
    }
  }

  private void writeSettings() {
    aimRelay();
    Properties properties = new Properties();
    properties.putAll(defaults());
    properties.putAll(settings);
    try {
      Files.deleteIfExists(home.file(KafkaMain.READY_FILE));
      Files.createDirectories(home.data());
      try (OutputStream out = Files.newOutputStream(home.file(KafkaMain.SETTINGS_FILE))) {
        properties.store(out, "Written at every start.");
      }
    } catch (IOException e) {
      throw new DevServiceException(
          "Cannot write Kafka's settings: " + e.getMessage() + ". Nothing was started.", e);
    }
  }

  private Map<String, String> defaults() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("process.roles", "broker,controller");
    all.put("node.id", "1");
    all.put("controller.quorum.voters", "1@127.0.0.1:" + controllerPort.number());
    all.put("controller.listener.names", "CONTROLLER");
    all.put(
        "listeners",
        "PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d"
            .formatted(port(), controllerPort.number()));
    all.put("advertised.listeners", "PLAINTEXT://127.0.0.1:" + port());
    all.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
    if (relayedPort != null) {
      all.merge("listeners", ",RELAYED://127.0.0.1:" + relayedPort.number(), String::concat);
      all.merge("advertised.listeners", ",RELAYED://127.0.0.1:" + relay().port(), String::concat);
      all.merge("listener.security.protocol.map", ",RELAYED:PLAINTEXT", String::concat);
      all.put("inter.broker.listener.name", "PLAINTEXT");
    }
    all.put("log.dirs", home.data().toString());
    all.put("auto.create.topics.enable", "false");
    all.put("min.insync.replicas", "1");
    all.put("offsets.topic.replication.factor", "1");
    all.put("offsets.topic.num.partitions", "4");
    all.put("transaction.state.log.replication.factor", "1");
    all.put("transaction.state.log.min.isr", "1");
    all.put("transaction.state.log.num.partitions", "4");
    all.put("share.coordinator.state.topic.replication.factor", "1");
    all.put("share.coordinator.state.topic.min.isr", "1");
    all.put("share.coordinator.state.topic.num.partitions", "1");
    all.put("group.initial.rebalance.delay.ms", "0");
    // A killed broker's successor is let in when the session of the former has ended.
    all.put("broker.session.timeout.ms", "1500");
    all.put("broker.heartbeat.interval.ms", "300");
    // A restarted leader waits for so long before it stands for election against nobody.
    all.put("controller.quorum.election.timeout.ms", "100");
    all.put("controller.quorum.election.backoff.max.ms", "100");
    // By default 128 MB, a quarter of the heap.
    all.put("log.cleaner.dedupe.buffer.size", "8388608");
    if (joined != null) {
      all.put("process.roles", "broker");
      all.put("node.id", "2");
      all.put("controller.quorum.voters", "1@127.0.0.1:" + joined.controllerPort.number());
      all.put("listeners", "PLAINTEXT://127.0.0.1:" + port());
      all.put(KafkaMain.CLUSTER_ID, KafkaTopic.clusterId(joined.bootstrapServers()));
    }
    return all;
  }

  /** What a server is started with. Not safe for use by several threads. */
  public static final class Builder {
    private final Map<String, String> settings = new LinkedHashMap<>();
    private final List<String> javaOptions = new ArrayList<>();
    private @Nullable Path dataDirectory;
    private int port;
    private boolean relayed;
    private boolean withArchive = true;
    private @Nullable KafkaServer joined;

    private Builder() {}

    /**
     * The directory for the data and the log, created if absent; it is kept by {@link
     * KafkaServer#close}. Default: a fresh temporary one, which is deleted.
     */
    public Builder dataDirectory(Path directory) {
      this.dataDirectory = directory;
      return this;
    }

    /** The port on 127.0.0.1. Default: a free one. */
    public Builder port(int port) {
      this.port = Port.check(port);
      return this;
    }

    /** Adds a listener behind a {@link TcpRelay}: see {@link KafkaServer#relay}. */
    public Builder relayed() {
      relayed = true;
      return this;
    }

    /**
     * Makes it the second broker of another server's cluster, which has to be running, and whose
     * controller it needs. Not together with {@link #relayed} or a directory that has data.
     */
    public Builder joining(KafkaServer first) {
      joined = first;
      return this;
    }

    /** A setting of {@code server.properties}, such as {@code transaction.max.timeout.ms}. */
    public Builder setting(String name, String value) {
      settings.put(name, value);
      return this;
    }

    /**
     * An option of the server's JVM. It runs with the first compiler alone, so that a start takes
     * half the processor time; for much load there is {@code -XX:TieredStopAtLevel=4}.
     */
    public Builder javaOption(String option) {
      javaOptions.add(option);
      return this;
    }

    /** For the server from which an archive is made. */
    Builder withoutArchive(String option) {
      withArchive = false;
      return javaOption(option);
    }

    /**
     * Starts the server and returns when it serves clients.
     *
     * @throws DevServiceException when it does not start; nothing is left running
     */
    public KafkaServer start() {
      ServerHome home = ServerHome.acquire(dataDirectory, "holdfast-kafka-");
      return home.releasedUnless(
          () -> {
            KafkaServer server = new KafkaServer(this, home);
            server.endLeftOver();
            server.life.launchFirst();
            return server;
          });
    }
  }
}
