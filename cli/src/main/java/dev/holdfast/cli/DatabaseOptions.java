package dev.holdfast.cli;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.PostgresStore;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of every command that needs a database. */
public final class DatabaseOptions {
  private static final long CONNECT_MILLIS = 5_000;

  @Option(
      names = "--database",
      paramLabel = "URL",
      description =
          "jdbc:postgresql://HOST:PORT/NAME; HOLDFAST_DATABASE in the environment when not given,"
              + " and the credentials in HOLDFAST_USER and HOLDFAST_PASSWORD.")
  private @Nullable String database;

  @Option(
      names = "--schema",
      paramLabel = "NAME",
      defaultValue = "holdfast",
      description = "The schema of Holdfast's tables (default: ${DEFAULT-VALUE}).")
  private String schema = "holdfast";

  /** Where a database is, and who asks. */
  public record Address(
      String url, @Nullable String user, @Nullable String password, String schema) {

    /** For people: without the password, also when it is part of the URL. */
    @Override
    public String toString() {
      return Credentials.mask(url);
    }

    /** A pool that is opened without touching the database. */
    public HikariDataSource pool(int size) {
      HikariConfig config = new HikariConfig();
      config.setJdbcUrl(url);
      config.setUsername(user);
      config.setPassword(password);
      config.setMaximumPoolSize(size);
      config.setMinimumIdle(0);
      config.setConnectionTimeout(CONNECT_MILLIS);
      config.setInitializationFailTimeout(-1);
      return new HikariDataSource(config);
    }
  }

  public @Nullable String database() {
    return database;
  }

  public String schema() {
    return schema;
  }

  /** The address from the option or the environment. */
  public Address address() {
    return address(database, schema, System.getenv());
  }

  /** As {@link #address()}, of any option and environment. */
  static Address address(@Nullable String option, String schema, Map<String, String> environment) {
    String url = option == null ? environment.get("HOLDFAST_DATABASE") : option;
    if (url == null) {
      throw new InvalidConfiguration(
          "No database is named, so nothing was done. Give --database"
              + " jdbc:postgresql://HOST:PORT/NAME, or set HOLDFAST_DATABASE.");
    }
    return of(url, environment.get("HOLDFAST_USER"), environment.get("HOLDFAST_PASSWORD"), schema);
  }

  /** Accepts {@code postgresql://user:password@host/name} too, which JDBC does not. */
  public static Address of(
      String url, @Nullable String user, @Nullable String password, String schema) {
    String rest = url.startsWith("jdbc:") ? url.substring("jdbc:".length()) : url;
    rest =
        rest.startsWith("postgres:") ? "postgresql:" + rest.substring("postgres:".length()) : rest;
    String start = "postgresql://";
    if (!rest.startsWith(start)) {
      throw new InvalidConfiguration(
          "The database '%s' is not a PostgreSQL URL, so nothing was done. Write jdbc:postgresql://HOST:PORT/NAME."
              .formatted(Credentials.mask(url)));
    }
    String location = rest.substring(start.length());
    int at = location.lastIndexOf('@', endOfAuthority(location));
    if (at < 0) {
      return new Address("jdbc:" + rest, user, password, schema);
    }
    String[] parts = location.substring(0, at).split(":", 2);
    return new Address(
        "jdbc:" + start + location.substring(at + 1),
        user == null ? decode(parts[0]) : user,
        password == null && parts.length == 2 ? decode(parts[1]) : password,
        schema);
  }

  private static int endOfAuthority(String location) {
    int end = location.indexOf('?');
    return end < 0 ? location.length() : end;
  }

  private static String decode(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  /** Runs something on the store, and closes its connections. */
  public <T> T withStore(Function<Store, T> work) {
    Address address = address();
    try (HikariDataSource pool = address.pool(2)) {
      return work.apply(PostgresStore.open(pool, address.schema()));
    }
  }
}
