package dev.holdfast.postgres.eventlog;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Stepper;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Appended;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventLog;
import dev.holdfast.eventlog.EventPage;
import dev.holdfast.eventlog.EventReader;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.RecordedEvent;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** One server for all tests of this JVM; each test has a schema, and so a log, of its own. */
final class Log implements AutoCloseable {
  private static final PostgresServer SERVER =
      PostgresServer.builder()
          .setting("max_connections", "150")
          .setting("max_prepared_transactions", "50")
          .start();
  private static final HikariDataSource POOL = pool(SERVER.jdbcUrl(), 100);
  private static final AtomicInteger SCHEMAS = new AtomicInteger();

  final String schema = "log_" + SCHEMAS.incrementAndGet();
  final Stepper stepper = Holdfast.on(POOL).schema(schema).manual();
  final Holdfast holdfast = stepper.holdfast();
  final EventLog log = holdfast.eventLog();

  static PostgresServer server() {
    return SERVER;
  }

  static HikariDataSource dataSource() {
    return POOL;
  }

  static HikariDataSource pool(String url, int size) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setMaximumPoolSize(size);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(10_000);
    return new HikariDataSource(config);
  }

  static EventData event(String json) {
    return EventData.json("noted", json);
  }

  Appended append(String stream, ExpectedVersion expected, EventData... events) {
    return log.append(Append.to(stream, expected, events));
  }

  /** Behind whatever is there. */
  Appended append(String stream, String... bodies) {
    EventData[] events = new EventData[bodies.length];
    for (int i = 0; i < bodies.length; i++) {
      events[i] = event(bodies[i]);
    }
    return append(stream, ExpectedVersion.any(), events);
  }

  /** In a transaction that the caller ends. */
  Appended append(Connection connection, Append append) {
    return holdfast.join(connection, "op", tx -> log.append(tx, append));
  }

  /** A session in a transaction. */
  static Connection begin() throws SQLException {
    Connection connection = POOL.getConnection();
    connection.setAutoCommit(false);
    return connection;
  }

  static void end(Connection connection) throws SQLException {
    connection.rollback();
    connection.setAutoCommit(true);
    connection.close();
  }

  /** Until there is no more for now. */
  static List<RecordedEvent> drain(EventReader reader, int pageSize) {
    List<RecordedEvent> all = new ArrayList<>();
    while (true) {
      EventPage page = reader.next(pageSize);
      all.addAll(page.events());
      if (page.events().isEmpty()) {
        return all;
      }
    }
  }

  static List<String> bodies(List<RecordedEvent> events) {
    return events.stream().map(RecordedEvent::text).toList();
  }

  /** On a thread of its own: the common pool has one where there are two cores. */
  static <T> CompletableFuture<T> async(Supplier<T> work) {
    return CompletableFuture.supplyAsync(
        work,
        task -> {
          Thread thread = new Thread(task, "beside");
          thread.setDaemon(true);
          thread.start();
        });
  }

  /** Something that may throw. */
  @FunctionalInterface
  interface Work {
    void run() throws Exception;
  }

  static Thread thread(Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            });
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  String in(String sql) {
    return sql.replace("${schema}", schema);
  }

  void execute(String sql) throws SQLException {
    try (Connection connection = POOL.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(in(sql));
    }
  }

  void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(in(sql));
    }
  }

  List<String> list(String sql) throws SQLException {
    try (Connection connection = POOL.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(in(sql))) {
      List<String> result = new ArrayList<>();
      while (rows.next()) {
        result.add(rows.getString(1));
      }
      return result;
    }
  }

  long ask(String sql) throws SQLException {
    try (Connection connection = POOL.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(in(sql))) {
      row.next();
      return row.getLong(1);
    }
  }

  @Override
  public void close() {
    stepper.close();
  }
}
