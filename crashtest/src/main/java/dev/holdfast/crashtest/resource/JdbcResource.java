package dev.holdfast.crashtest.resource;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A database, as one process reaches it. Commit points are {@code commit()}, statements in
 * autocommit mode that may write, and texts that contain a {@code commit}; a transaction that wrote
 * nothing has none. Of a transaction in two phases there are two points, {@code prepare}, which
 * makes what was written durable, and {@code commit prepared} or {@code rollback prepared}: {@code
 * prepare transaction} and its like in PostgreSQL, {@code xa prepare} and its like in MariaDB.
 *
 * <p>What is unwrapped to the driver's own types is not seen, but it is fenced: the fence aborts
 * physical connections.
 */
public final class JdbcResource implements DataSource, Fence {
  private static final Pattern ADDRESS = Pattern.compile("//([^/:?]+)(?::(\\d+))?");
  private static final int POSTGRES_PORT = 5432;

  /** Where physical connections come from. */
  private interface Source {
    Connection connect() throws SQLException;
  }

  private final String name;
  private final Hook hook;
  private final Source source;
  private final Wire wire;
  private final Set<Connection> open = ConcurrentHashMap.newKeySet();

  private JdbcResource(String name, Hook hook, Source source, Wire wire) {
    this.name = name;
    this.hook = hook;
    this.source = source;
    this.wire = wire;
    hook.fence(this);
  }

  /** Wraps a database by its URL: {@code jdbc:…//host:port/…}. */
  public static JdbcResource of(String name, Hook hook, String url) {
    if (!hook.losesAnswers()) {
      return new JdbcResource(
          name, hook, () -> DriverManager.getConnection(url), Wire.direct(name));
    }
    Matcher address = ADDRESS.matcher(url);
    if (!address.find()) {
      throw new IllegalArgumentException(
          "No //host:port is in the JDBC URL of resource '"
              + name
              + "', so no relay fits into it.");
    }
    String port = address.group(2);
    RelayWire wire =
        new RelayWire(address.group(1), port == null ? POSTGRES_PORT : Integer.parseInt(port));
    String relayed =
        address.replaceFirst(Matcher.quoteReplacement("//" + wire.host() + ":" + wire.port()));
    return new JdbcResource(name, hook, () -> DriverManager.getConnection(relayed), wire);
  }

  /** Wraps a data source, which may be a pool that outlives the process. */
  public static JdbcResource of(String name, Hook hook, DataSource real) {
    return new JdbcResource(name, hook, real::getConnection, Wire.direct(name));
  }

  String name() {
    return name;
  }

  Hook hook() {
    return hook;
  }

  Wire wire() {
    return wire;
  }

  @Override
  public Connection getConnection() throws SQLException {
    hook.check();
    Connection physical = source.connect();
    open.add(physical);
    if (hook.isDead()) {
      // The crash may have passed while we connected.
      abort(physical);
      hook.check();
    }
    return JdbcConnection.wrap(this, physical);
  }

  @Override
  public Connection getConnection(String user, String password) throws SQLException {
    throw new SQLException(
        "The lab's data source has one user. Give it in the URL. No connection was made.", "0A000");
  }

  void closed(Connection physical) {
    open.remove(physical);
  }

  @Override
  public void cut() {
    wire.cut();
  }

  @Override
  public void end() {
    open.forEach(this::abort);
    wire.close();
  }

  private void abort(Connection physical) {
    open.remove(physical);
    try {
      physical.abort(Runnable::run);
    } catch (SQLException | RuntimeException e) {
      // Closed or broken already, which is all that is wanted.
    }
  }

  @Override
  public void reopen() {
    // The next process connects anew.
  }

  @Override
  public void close() {
    open.forEach(
        physical -> {
          try {
            physical.close();
          } catch (SQLException e) {
            abort(physical);
          }
        });
    wire.close();
  }

  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    if (type.isInstance(this)) {
      return type.cast(this);
    }
    throw new SQLException("The lab's data source wraps no " + type.getName(), "0A000");
  }

  @Override
  public boolean isWrapperFor(Class<?> type) {
    return type.isInstance(this);
  }

  @Override
  public @Nullable PrintWriter getLogWriter() {
    return null;
  }

  @Override
  public void setLogWriter(PrintWriter out) {
    // Nothing is logged.
  }

  @Override
  public void setLoginTimeout(int seconds) {
    DriverManager.setLoginTimeout(seconds);
  }

  @Override
  public int getLoginTimeout() {
    return DriverManager.getLoginTimeout();
  }

  @Override
  public Logger getParentLogger() {
    return Logger.getGlobal();
  }
}
