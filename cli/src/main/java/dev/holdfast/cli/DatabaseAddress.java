package dev.holdfast.cli;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.StoreUnavailable;
import java.net.SocketTimeoutException;
import java.net.URLDecoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;
import org.postgresql.PGProperty;
import org.postgresql.ds.PGSimpleDataSource;

/** Where a database is, and who asks. */
public record DatabaseAddress(
    String url, @Nullable String user, @Nullable String password, String schema) {

  private static final int CONNECT_SECONDS = 5;
  private static final int LOGIN_SECONDS = 10;

  /** Accepts {@code postgresql://user:password@host/name} too, which JDBC does not. */
  public static DatabaseAddress of(
      String url, @Nullable String user, @Nullable String password, String schema) {
    String rest = url.startsWith("jdbc:") ? url.substring("jdbc:".length()) : url;
    rest =
        rest.startsWith("postgres:") ? "postgresql:" + rest.substring("postgres:".length()) : rest;
    String start = "postgresql://";
    if (!rest.startsWith(start)) {
      throw notPostgres(url);
    }
    String location = rest.substring(start.length());
    int at = location.lastIndexOf('@', endOfAuthority(location));
    String[] parts = location.substring(0, Math.max(0, at)).split(":", 2);
    DatabaseAddress address =
        at < 0
            ? new DatabaseAddress("jdbc:" + rest, user, password, schema)
            : new DatabaseAddress(
                "jdbc:" + start + location.substring(at + 1),
                user == null ? decode(parts[0]) : user,
                password == null && parts.length == 2 ? decode(parts[1]) : password,
                schema);
    if (Driver.parseURL(address.url(), null) == null) {
      throw notPostgres(url);
    }
    return address;
  }

  private static InvalidConfiguration notPostgres(String url) {
    return new InvalidConfiguration(
        "The database '%s' is not a PostgreSQL URL, so nothing was done. Write jdbc:postgresql://HOST:PORT/NAME."
            .formatted(Credentials.mask(url)));
  }

  private static int endOfAuthority(String location) {
    int end = location.indexOf('?');
    return end < 0 ? location.length() : end;
  }

  private static String decode(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  /** For people: without the password, also when it is part of the URL. */
  @Override
  public String toString() {
    return Credentials.mask(url);
  }

  /** A connection each time one is asked for, for commands that need a few. */
  public DataSource dataSource() {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setApplicationName("holdfast");
    source.setUrl(url);
    // What the URL says wins, as it does in the pool.
    if (user != null && !names(PGProperty.USER)) {
      source.setUser(user);
    }
    if (password != null && !names(PGProperty.PASSWORD)) {
      source.setPassword(password);
    }
    if (!names(PGProperty.CONNECT_TIMEOUT)) {
      source.setConnectTimeout(CONNECT_SECONDS);
    }
    if (!names(PGProperty.LOGIN_TIMEOUT)) {
      source.setLoginTimeout(LOGIN_SECONDS);
    }
    return source;
  }

  /** Whether it says who asks. */
  boolean namesUser() {
    return user != null || names(PGProperty.USER);
  }

  private boolean names(PGProperty property) {
    Properties parsed = Driver.parseURL(url, null);
    return parsed != null && parsed.containsKey(property.getName());
  }

  /** A pool that is opened without touching the database. */
  public HikariDataSource pool(int size, Duration longestWait) {
    return pool("holdfast relay", size, longestWait);
  }

  /** As {@link #pool(int, Duration)}, of another program. */
  public HikariDataSource pool(String application, int size, Duration longestWait) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setUsername(user);
    config.setPassword(password);
    config.addDataSourceProperty("ApplicationName", application);
    config.addDataSourceProperty("tcpKeepAlive", "true");
    config.setMaximumPoolSize(size);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(longestWait.toMillis());
    config.setInitializationFailTimeout(-1);
    return new HikariDataSource(config);
  }

  /**
   * Connects once: a pool would only say that it waited in vain, and not for what.
   *
   * @throws StoreUnavailable when the database does not let us in
   */
  public void verify() {
    verify("--database, HOLDFAST_USER and HOLDFAST_PASSWORD");
  }

  /**
   * As {@link #verify()}.
   *
   * @param settings where it was said which database this is, for people
   */
  public void verify(String settings) {
    try (Connection connection = dataSource().getConnection()) {
      connection.getMetaData();
    } catch (SQLException e) {
      throw new StoreUnavailable(
          "The database %s cannot be used: %s. Nothing was done. Check %s, and that the server runs."
              .formatted(this, reason(e), settings),
          e);
    }
  }

  /** The driver says that an attempt failed; why, it leaves to the cause. */
  private static String reason(SQLException e) {
    StringBuilder text = new StringBuilder(String.valueOf(e.getMessage()));
    if (e.getCause() instanceof UnknownHostException unknown) {
      text.append(" There is no host ").append(unknown.getMessage());
    } else if (e.getCause() instanceof SocketTimeoutException) {
      text.append(" It did not answer in time");
    }
    return text.toString().strip().replaceAll("\\.$", "").replaceAll("\\s*\n\\s*", " ");
  }
}
