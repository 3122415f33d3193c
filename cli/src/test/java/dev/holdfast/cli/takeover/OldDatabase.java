package dev.holdfast.cli.takeover;

import dev.holdfast.cli.Run;
import dev.holdfast.cli.TestDatabases;
import dev.holdfast.postgres.PostgresStore;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A database with Holdfast's tables and a channel, beside which another outbox was there before.
 */
record OldDatabase(String url) {

  /** Copied rather than migrated for each test; nobody is connected to it. */
  private static final String TEMPLATE = TestDatabases.create();

  private static final AtomicInteger COPIES = new AtomicInteger();

  static {
    Run.line("schema migrate --database", TEMPLATE).result();
  }

  static OldDatabase create(String... topics) {
    OldDatabase database = new OldDatabase(copy());
    PostgresStore.open(database.dataSource(), "holdfast")
        .channels()
        .register("taking", List.of(topics));
    return database;
  }

  private static String copy() {
    String template = TEMPLATE.replaceAll(".*/([a-z0-9_]+).*", "$1");
    String name = "takeover_" + COPIES.incrementAndGet();
    try {
      TestDatabases.execute(
          TEMPLATE.replace("/" + template, "/postgres"),
          "create database " + name + " template " + template);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return TEMPLATE.replace("/" + template, "/" + name);
  }

  DataSource dataSource() {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(url);
    return dataSource;
  }

  Run takeover(String line, String... more) {
    List<String> arguments = new ArrayList<>(List.of("--database", url));
    arguments.addAll(List.of(more));
    return Run.line("takeover " + line, arguments.toArray(String[]::new));
  }

  void execute(String... statements) throws SQLException {
    TestDatabases.execute(url, statements);
  }

  /** One column of text. */
  List<String> query(String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      List<String> values = new ArrayList<>();
      while (row.next()) {
        values.add(String.valueOf(row.getString(1)));
      }
      return values;
    }
  }

  /** What is in the outbox, in its order: topic, key and payload. */
  List<String> messages() throws SQLException {
    return query(
        """
        select topic || ' ' || coalesce(key, '-') || ' ' || convert_from(payload, 'UTF8')
        from holdfast.message order by position""");
  }
}
