package dev.holdfast.opensearch;

import com.fasterxml.jackson.databind.JsonNode;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.OpenSearchServer;
import dev.holdfast.devservices.PostgresServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The servers of this module's tests, and how they are asked past what is tested. */
final class TestServers {
  static final PostgresServer POSTGRES = PostgresServer.start();
  static final OpenSearchServer SEARCH = OpenSearchServer.start();

  private static final AtomicInteger NAMES = new AtomicInteger();

  private TestServers() {}

  static String unique(String name) {
    return name + NAMES.incrementAndGet();
  }

  static SearchEngine engine() {
    return SearchEngine.at(SEARCH.uri());
  }

  static SearchEngine.Answer ask(String method, String path, @Nullable String body) {
    try {
      return engine()
          .ask(
              method,
              path,
              "application/json",
              body == null ? null : body.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  static JsonNode get(String path) {
    try {
      return Json.read(ask("GET", path, null).body());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What whoever searches by the alias finds, as {@code id=source}, in the order of a field. */
  static List<String> search(String index, String sort) {
    ask("POST", "/" + index + "/_refresh", null);
    List<String> found = new ArrayList<>();
    get("/" + index + "/_search?size=1000&sort=" + sort)
        .path("hits")
        .path("hits")
        .forEach(hit -> found.add(hit.path("_id").asText() + "=" + hit.path("_source")));
    return found;
  }

  static HikariDataSource pool(int size) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(POSTGRES.jdbcUrl());
    config.setMaximumPoolSize(size);
    config.setMinimumIdle(0);
    return new HikariDataSource(config);
  }

  static void execute(DataSource dataSource, String sql) {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
