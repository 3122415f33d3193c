package dev.holdfast.devservices;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL 18 server in child processes of this program, which can be crashed, paused and
 * started again. It listens on 127.0.0.1 only and asks nobody for a password.
 *
 * <p>It is as durable as one in production: {@code fsync}, {@code synchronous_commit} and {@code
 * full_page_writes} are on unless {@link Builder#setting} says otherwise, so that what was
 * committed survives {@link #killServer} and {@link #killBackend}. Port and data stay the same over
 * {@link #restart}. The data survives {@link #close} only in a directory that was given by {@link
 * Builder#dataDirectory}.
 *
 * <p>When this program ends without {@link #close}, even by SIGKILL, the server is shut down within
 * seconds, and a temporary data directory is deleted. A server that was left on a given directory
 * nevertheless is ended before another starts there. Two programs cannot use one directory at once.
 *
 * <p>Instances are safe for use by several threads; an operation waits for the one before it. Every
 * wait is bounded. All methods throw {@link DevServiceException} when the server does not do what
 * was asked.
 */
public final class PostgresServer implements AutoCloseable {
  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

  /** Class 57, cannot connect now: the server is starting, stopping or recovering. */
  private static final String CANNOT_CONNECT_NOW = "57P03";

  private final PostgresBinaries binaries;
  private final ServerHome home;
  private final Map<String, String> settings;
  private final Port port;
  private final ServerLife life;

  /** Between a standby and its primary. */
  private final @Nullable TcpRelay replication;

  private PostgresServer(Builder builder, PostgresBinaries binaries, ServerHome home) {
    this.binaries = binaries;
    this.home = home;
    PostgresServer primary = builder.primary;
    // A standby may have no less of connections and the like than its primary.
    this.settings = new LinkedHashMap<>(primary == null ? Map.of() : primary.settings);
    settings.putAll(builder.settings);
    this.replication = primary == null ? null : TcpRelay.to("127.0.0.1", primary.port());
    this.port = Port.of(builder.port);
    this.life =
        new ServerLife(
            home,
            new ServerLife.Program(
                "PostgreSQL",
                START_TIMEOUT,
                "INT",
                "QUIT",
                () -> binaries.writeSettings(home.data(), settingsText()),
                () -> binaries.serverCommand(home.data()),
                this::acceptsConnections),
            port);
  }

  /** Returns a builder with the defaults: a temporary data directory and a free port. */
  public static Builder builder() {
    return new Builder();
  }

  /** Starts a server with the defaults, on a temporary data directory and a free port. */
  public static PostgresServer start() {
    return builder().start();
  }

  /** Returns the JDBC URL of the database {@code postgres}, with its superuser. */
  public String jdbcUrl() {
    return jdbcUrl("postgres");
  }

  /** Returns the JDBC URL of a database, with the superuser {@code postgres}. */
  public String jdbcUrl(String database) {
    return "jdbc:postgresql://127.0.0.1:" + port() + "/" + database + "?user=postgres";
  }

  /** Returns the port on 127.0.0.1; it stays the same over restarts. */
  public int port() {
    return port.number();
  }

  /**
   * Returns the process id of the postmaster, the parent of all the server's processes.
   *
   * @throws DevServiceException when the server is not running
   */
  public long pid() {
    return life.running().pid();
  }

  /** Creates an empty database. */
  public synchronized void createDatabase(String name) {
    execute("create database \"" + name.replace("\"", "\"\"") + "\"");
  }

  /**
   * Crashes the server: SIGKILL to all of its processes. They are gone and the port is free when
   * this returns. What was committed is there again after {@link #restart}. Does nothing when the
   * server is not running.
   */
  public synchronized void killServer() {
    life.kill();
  }

  /**
   * Kills the server process of one connection, whose id {@code pg_backend_pid()} tells. The
   * postmaster thereupon ends all other connections and recovers as after a crash; for that moment,
   * connections are refused.
   *
   * @throws IllegalArgumentException when that process is not one of this server's
   */
  public synchronized void killBackend(int pid) {
    long postmaster = pid();
    if (!Processes.isChild(pid, postmaster)) {
      throw new IllegalArgumentException(
          "Process %d is not a backend of this server, whose postmaster is %d"
              .formatted(pid, postmaster));
    }
    Processes.signal("KILL", pid);
    Await.until(
        Duration.ofSeconds(10),
        () -> !Processes.isAlive(pid),
        () -> "Backend " + pid + " survives SIGKILL.");
  }

  /**
   * Copies the data of the running server, as it is when this returns: a base backup. A server that
   * is started on the directory, with {@link Builder#dataDirectory}, goes on from there. It is the
   * same database to whoever asks, with the same system identifier and, other than after a {@link
   * #promote}, on the same timeline.
   *
   * @param directory created; must not hold a server yet
   */
  public synchronized void backup(Path directory) {
    ServerHome copy = ServerHome.acquire(directory, "");
    try {
      backup(copy);
    } finally {
      copy.release();
    }
  }

  private synchronized void backup(ServerHome copy) {
    life.running();
    if (Files.exists(copy.data())) {
      throw new DevServiceException(
          "%s exists. Nothing was copied. Choose another directory.".formatted(copy.data()));
    }
    try (Connection connection = connect()) {
      BaseBackup.take(connection, home.data(), copy.data());
      binaries.ownAll(copy.data());
    } catch (SQLException | IOException e) {
      Directories.delete(copy.data());
      throw new DevServiceException(
          "PostgreSQL on port %d could not be copied: %s. Nothing was left of the copy."
              .formatted(port(), e.getMessage()),
          e);
    }
  }

  /**
   * Cuts a standby off from its primary: it misses what is committed there from now on.
   *
   * @throws DevServiceException when this server was not started as a standby
   */
  public synchronized void detach() {
    TcpRelay relay = replication;
    if (relay == null) {
      throw new DevServiceException(
          "The server on port %d is not a standby. Nothing was done.".formatted(port()));
    }
    relay.cut();
  }

  /**
   * Makes a standby the primary, on a timeline of its own; returns when it takes writes. Its former
   * primary is not told, and not stopped.
   */
  public synchronized void promote() {
    // Less than this connection waits for an answer.
    execute("select pg_promote(wait => true, wait_seconds => 25)");
    Await.until(
        START_TIMEOUT,
        () -> !isInRecovery(),
        () -> "The standby on port %d does not take writes yet.".formatted(port()));
  }

  private boolean isInRecovery() {
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select pg_is_in_recovery()")) {
      row.next();
      return row.getBoolean(1);
    } catch (SQLException e) {
      throw new DevServiceException(
          "PostgreSQL on port %d does not answer: %s".formatted(port(), e.getMessage()), e);
    }
  }

  /**
   * Starts the server again on the same data and port, stopping it first when it is running.
   * Returns when it accepts connections, that is, when crash recovery is complete.
   */
  public synchronized void restart() {
    life.restart();
  }

  /** Shuts the server down ("fast": open transactions are rolled back). Does nothing if it is. */
  public synchronized void stop() {
    life.stop();
  }

  /** Stops all of the server's processes where they are (SIGSTOP), until {@link #resume}. */
  public synchronized void pause() {
    life.running().pause();
  }

  /** Lets the processes that {@link #pause} stopped run on. */
  public synchronized void resume() {
    life.running().resume();
  }

  /** Stops the server and gives its directory up; a temporary one is deleted. */
  @Override
  public synchronized void close() {
    life.close();
    closeReplication();
  }

  private void closeReplication() {
    if (replication != null) {
      replication.close();
    }
  }

  private void begin(@Nullable PostgresServer primary) {
    if (primary == null) {
      createCluster();
    } else {
      copyCluster(primary);
    }
    endLeftOver();
    life.launchFirst();
  }

  private boolean acceptsConnections() {
    try (Connection connection = connect()) {
      return true;
    } catch (SQLException e) {
      String state = String.valueOf(e.getSQLState());
      // Class 08: nobody listens yet.
      if (state.equals(CANNOT_CONNECT_NOW) || state.startsWith("08")) {
        return false;
      }
      throw new DevServiceException(
          "PostgreSQL runs on port %d but refuses its superuser and was killed: %s"
              .formatted(port(), e.getMessage()),
          e);
    }
  }

  private Connection connect() throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("connectTimeout", "5");
    properties.setProperty("socketTimeout", "30");
    properties.setProperty("sslmode", "disable");
    properties.setProperty("gssEncMode", "disable");
    return DriverManager.getConnection(jdbcUrl(), properties);
  }

  private void execute(String sql) {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new DevServiceException(
          "PostgreSQL on port %d refused: %s: %s".formatted(port(), sql, e.getMessage()), e);
    }
  }

  private void createCluster() {
    if (!Files.exists(home.data().resolve("PG_VERSION"))) {
      binaries.createCluster(home.data());
    }
  }

  private void copyCluster(PostgresServer primary) {
    primary.backup(home);
    try {
      Files.createFile(home.data().resolve("standby.signal"));
      binaries.ownAll(home.data());
    } catch (IOException e) {
      throw new DevServiceException(
          "Cannot make %s a standby: %s. Nothing was started."
              .formatted(home.data(), e.getMessage()),
          e);
    }
  }

  /** The lock on the directory is ours, so that a server that runs on it has lost its program. */
  private void endLeftOver() {
    Path pidFile = home.data().resolve("postmaster.pid");
    if (!Files.exists(pidFile)) {
      return;
    }
    long left = firstLine(pidFile);
    Predicate<List<String>> ours =
        command -> command.equals(List.of(binaries.program(), "-D", home.data().toString()));
    boolean wasOurs = ours.test(Processes.commandLine(left));
    home.endLeftOver(left, ours, "QUIT");
    if (!wasOurs && isPostgresOn(home.data(), left)) {
      throw new DevServiceException(
          "A PostgreSQL (pid %d) that this library did not start runs on %s. Nothing was started. End it, or choose another directory."
              .formatted(left, home.data()));
    }
    try {
      // A stale file whose pid now belongs to another program would keep the server from starting.
      Files.deleteIfExists(pidFile);
    } catch (IOException e) {
      throw new DevServiceException("Cannot delete the stale " + pidFile, e);
    }
  }

  private static boolean isPostgresOn(Path data, long pid) {
    try {
      // A postmaster's working directory is its data directory.
      return Processes.isAlive(pid) && Files.isSameFile(Path.of("/proc/" + pid + "/cwd"), data);
    } catch (IOException e) {
      return false;
    }
  }

  private static long firstLine(Path file) {
    try {
      return Files.readAllLines(file).stream()
          .findFirst()
          .map(String::strip)
          .map(Long::parseLong)
          .orElse(0L);
    } catch (IOException | NumberFormatException e) {
      throw new DevServiceException(
          "Cannot read a process id from %s. Nothing was started. Delete it if no PostgreSQL runs there."
              .formatted(file),
          e);
    }
  }

  private String settingsText() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("listen_addresses", "127.0.0.1");
    all.put("unix_socket_directories", "");
    all.put("fsync", "on");
    all.put("synchronous_commit", "on");
    all.put("full_page_writes", "on");
    all.put("max_connections", "200");
    all.put("max_prepared_transactions", "20");
    all.put("shared_buffers", "128MB");
    all.put("timezone", "UTC");
    all.put("log_timezone", "UTC");
    all.put("logging_collector", "off");
    if (replication != null) {
      all.put(
          "primary_conninfo",
          "host=127.0.0.1 port=" + replication.port() + " user=postgres sslmode=disable");
      // A standby that is behind asks again soon.
      all.put("wal_retrieve_retry_interval", "100ms");
    }
    all.putAll(settings);
    all.put("port", Integer.toString(port()));
    StringBuilder text = new StringBuilder("# Written at every start.\n");
    all.forEach(
        (name, value) ->
            text.append(name)
                .append(" = '")
                .append(value.replace("\\", "\\\\").replace("'", "''"))
                .append("'\n"));
    return text.toString();
  }

  /** What a server is started with. Not safe for use by several threads. */
  public static final class Builder {
    private static final Pattern SETTING_NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_.]*");

    private final Map<String, String> settings = new LinkedHashMap<>();
    private @Nullable Path dataDirectory;
    private @Nullable PostgresServer primary;
    private int port;

    private Builder() {}

    /**
     * The directory for the data and the log, created if absent; it is kept by {@link
     * PostgresServer#close}. Default: a fresh temporary one, which is deleted.
     */
    public Builder dataDirectory(Path directory) {
      this.dataDirectory = directory;
      return this;
    }

    /**
     * Starts as a hot standby of a running server, with a copy of its data, and follows it by
     * asynchronous streaming replication.
     */
    public Builder standbyOf(PostgresServer server) {
      this.primary = server;
      return this;
    }

    /** The port on 127.0.0.1. Default: a free one. */
    public Builder port(int port) {
      this.port = Port.check(port);
      return this;
    }

    /** A setting of {@code postgresql.conf}, such as {@code wal_level}. */
    public Builder setting(String name, String value) {
      if (!SETTING_NAME.matcher(name).matches() || value.indexOf('\n') >= 0) {
        throw new IllegalArgumentException("Not a setting: " + name + " = " + value);
      }
      settings.put(name.toLowerCase(Locale.ROOT), value);
      return this;
    }

    /**
     * Starts the server and returns when it accepts connections.
     *
     * @throws DevServiceException when it does not start; nothing is left running
     */
    public PostgresServer start() {
      PostgresBinaries binaries = PostgresBinaries.install();
      ServerHome home = ServerHome.acquire(dataDirectory, "holdfast-postgres-");
      return home.releasedUnless(
          () -> {
            PostgresServer server = new PostgresServer(this, binaries, home);
            try {
              server.begin(primary);
              return server;
            } catch (RuntimeException e) {
              server.closeReplication();
              throw e;
            }
          });
    }
  }
}
