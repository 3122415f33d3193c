package dev.holdfast.cli;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.twophase.Participant;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a participant is, and who asks there.
 *
 * @param postgres where it is, if it is a PostgreSQL; others are a URL of JDBC and no more
 */
public record ParticipantAddress(
    String name,
    String url,
    @Nullable String user,
    @Nullable String password,
    String schema,
    @Nullable DatabaseAddress postgres) {
  private static final int CONNECTIONS = 4;
  private static final Duration LONGEST_WAIT_FOR_CONNECTION = Duration.ofSeconds(5);

  static ParticipantAddress of(
      String name, String url, String schema, Map<String, String> environment) {
    String prefix = "HOLDFAST_PARTICIPANT_" + name.toUpperCase(Locale.ROOT).replace('-', '_') + "_";
    String user = environment.get(prefix + "USER");
    String password = environment.get(prefix + "PASSWORD");
    boolean isPostgres = url.matches("(jdbc:)?postgres(ql)?:.*");
    if (!isPostgres && !url.startsWith("jdbc:")) {
      throw new InvalidConfiguration(
          "The participant %s is '%s', which is no URL of JDBC, so nothing was done. Write jdbc:postgresql://HOST:PORT/NAME, or what the driver of another product takes."
              .formatted(name, Credentials.mask(url)));
    }
    DatabaseAddress own = isPostgres ? DatabaseAddress.of(url, user, password, schema) : null;
    // Another server's password is sent only where nothing says who is to ask here.
    boolean isNobody = own == null ? user == null : !own.namesUser();
    if (isNobody) {
      user = environment.get("HOLDFAST_USER");
      password = password == null ? environment.get("HOLDFAST_PASSWORD") : password;
      own = own == null ? null : new DatabaseAddress(own.url(), user, password, schema);
    }
    return new ParticipantAddress(name, url, user, password, schema, own);
  }

  /** One that has been connected to, with its pool. */
  public record Open(Participant participant, HikariDataSource pool) implements AutoCloseable {
    @Override
    public void close() {
      pool.close();
    }
  }

  /**
   * Connects.
   *
   * @throws dev.holdfast.StoreUnavailable when it does not let us in
   * @throws InvalidConfiguration when its product is not supported
   */
  public Open open() {
    HikariDataSource pool = pool();
    try {
      return new Open(Participant.of(name, pool, schema), pool);
    } catch (RuntimeException e) {
      pool.close();
      throw e;
    }
  }

  private HikariDataSource pool() {
    if (postgres != null) {
      postgres.verify("--participant " + name + " and its credentials");
      return postgres.pool("holdfast recover", CONNECTIONS, LONGEST_WAIT_FOR_CONNECTION);
    }
    try {
      DriverManager.getDriver(url);
    } catch (SQLException e) {
      throw new InvalidConfiguration(
          "There is no driver for participant %s (%s), so it was not looked at. Add it, and Holdfast's module for the product, to the class path."
              .formatted(name, Credentials.mask(url)),
          e);
    }
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setUsername(user);
    config.setPassword(password);
    config.setMaximumPoolSize(CONNECTIONS);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(LONGEST_WAIT_FOR_CONNECTION.toMillis());
    config.setInitializationFailTimeout(-1);
    return new HikariDataSource(config);
  }

  /** For people: without the password, also when it is part of the URL. */
  @Override
  public String toString() {
    return name + "=" + Credentials.mask(url);
  }
}
