package dev.holdfast.postgres.reconcile;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.PostgresServer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** A table in one database, and its copy in another. */
final class TwoTables {
  private static final PostgresServer SERVER = PostgresServer.start();
  private static final HikariDataSource SOURCE = database("shop");
  private static final HikariDataSource DERIVED = database("ledger");
  private static final AtomicInteger NAMES = new AtomicInteger();

  final String name = "Order " + NAMES.incrementAndGet();
  final DataSource from = SOURCE;
  final DataSource to = DERIVED;
  final PostgresSide source =
      PostgresSide.table(SOURCE, "public", name).key("id").changedAt("changed at");
  final PostgresSide derived =
      PostgresSide.table(DERIVED, "public", name).key("id").changedAt("changed at");

  TwoTables() {
    String table =
        """
        create table "%s" (id text primary key, version bigint not null,
          "changed at" timestamptz not null default now(), total numeric check (total < 4000000), note text)
        """
            .formatted(name);
    execute(from, table);
    execute(to, table);
  }

  private static HikariDataSource database(String name) {
    SERVER.createDatabase(name);
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(SERVER.jdbcUrl(name));
    config.setMaximumPoolSize(8);
    config.setMinimumIdle(0);
    return new HikariDataSource(config);
  }

  /** The same rows in both, an hour old. */
  void fill(int rows) {
    for (DataSource each : List.of(from, to)) {
      execute(
          each,
          """
          insert into "%s" select 'k' || i, 1, '2026-01-01 00:00:00Z'::timestamptz + i * interval '1 microsecond', i, 'n' || i
          from generate_series(1, %d) i
          """
              .formatted(name, rows));
    }
  }

  void source(String sql, @Nullable Object... parameters) {
    execute(from, sql.formatted('"' + name + '"'), parameters);
  }

  void derived(String sql, @Nullable Object... parameters) {
    execute(to, sql.formatted('"' + name + '"'), parameters);
  }

  List<String> rows(DataSource database) {
    return query(
        database,
        "select id || ' ' || version || ' ' || total || ' ' || coalesce(note, '-') || ' ' || \"changed at\" from \"%s\" order by id"
            .formatted(name));
  }

  static int execute(DataSource database, String sql, @Nullable Object... parameters) {
    try (Connection connection = database.getConnection();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      return statement.executeUpdate();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  static List<String> query(DataSource database, String sql) {
    try (Connection connection = database.getConnection();
        PreparedStatement statement = connection.prepareStatement(sql);
        ResultSet rows = statement.executeQuery()) {
      List<String> result = new ArrayList<>();
      while (rows.next()) {
        result.add(rows.getString(1));
      }
      return result;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
