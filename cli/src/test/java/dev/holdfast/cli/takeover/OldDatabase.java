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
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A database with Holdfast's tables and a channel, beside which another outbox was there before.
 */
record OldDatabase(String url) {

  static OldDatabase create(String... topics) {
    OldDatabase database = new OldDatabase(TestDatabases.create());
    Run.line("schema migrate --database", database.url).result();
    PostgresStore.open(database.dataSource(), "holdfast")
        .channels()
        .register("taking", List.of(topics));
    return database;
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
