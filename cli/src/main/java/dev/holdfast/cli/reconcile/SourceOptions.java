package dev.holdfast.cli.reconcile;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.postgres.reconcile.PostgresSide;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is compared: names that the tables have in common, and the source's. */
final class SourceOptions {
  @Option(
      names = "--table",
      paramLabel = "[SCHEMA.]TABLE",
      required = true,
      description = "The source: a table or a view of the database.")
  private String table = "";

  @Option(
      names = "--where",
      paramLabel = "SQL",
      description = "Which rows of the source are meant, as a condition that is used as it is.")
  private @Nullable String where;

  @Option(
      names = "--key",
      paramLabel = "COLUMN",
      defaultValue = "id",
      description = "The key's column, in a derived table, too (default: ${DEFAULT-VALUE}).")
  private String key = "id";

  @Option(
      names = "--version-column",
      paramLabel = "COLUMN",
      description =
          "The column of a whole number that rises with every change, in a derived table, too"
              + " (default: version).")
  private @Nullable String version;

  @Option(
      names = "--content",
      paramLabel = "COLUMN",
      split = ",",
      description = "Compares the content of these columns instead of a version.")
  private List<String> content = List.of();

  @Option(
      names = "--content-sql",
      paramLabel = "SQL",
      description =
          "The same as an expression that is used as it is; with a topic, md5 of what is sent.")
  private @Nullable String contentSql;

  @Option(
      names = "--changed-at",
      paramLabel = "COLUMN",
      description =
          "The column of the time at which the source changed a row, of which a derived table has a"
              + " copy.")
  private @Nullable String changedAt;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "600",
      description = "How long a statement may take (default: ${DEFAULT-VALUE}).")
  private int timeout;

  boolean comparesContent() {
    return !content.isEmpty() || contentSql != null;
  }

  boolean comparesExpression() {
    return contentSql != null;
  }

  PostgresSide source(DataSource dataSource) {
    PostgresSide side = side(dataSource, table, "--table");
    return where == null ? side : side.where(where);
  }

  /** A table with the same columns. */
  PostgresSide side(DataSource dataSource, String name, String option) {
    int dot = name.indexOf('.');
    String own = name.substring(dot + 1);
    if (own.isBlank() || dot == 0) {
      throw new InvalidConfiguration(
          "%s is '%s', which names no table. Nothing was done. Write TABLE or SCHEMA.TABLE."
              .formatted(option, name));
    }
    PostgresSide side =
        PostgresSide.table(dataSource, dot < 0 ? "public" : name.substring(0, dot), own)
            .key(key)
            .timeout(Duration.ofSeconds(timeout));
    if (changedAt != null) {
      side = side.changedAt(changedAt);
    }
    if (contentSql != null) {
      requireOne(version == null && content.isEmpty());
      return side.contentExpression(contentSql);
    }
    if (!content.isEmpty()) {
      requireOne(version == null);
      return side.content(content.toArray(String[]::new));
    }
    return side.version(version == null ? "version" : version);
  }

  private static void requireOne(boolean alone) {
    if (!alone) {
      throw new InvalidConfiguration(
          "More than one of --version-column, --content and --content-sql says what is compared. Nothing was done. Give one.");
    }
  }
}
