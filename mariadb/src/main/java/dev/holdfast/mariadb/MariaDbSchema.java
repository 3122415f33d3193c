package dev.holdfast.mariadb;

import dev.holdfast.SchemaMismatch;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.outbox.store.SchemaManager;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Numbered resources, applied in order. MariaDB commits each statement that makes a table, so that
 * a migration is not one transaction: its statements can be repeated, and the last one writes the
 * version down.
 */
final class MariaDbSchema implements SchemaManager {
  /** Every migration there is; released ones never change. */
  private static final List<String> RESOURCES = List.of("001_participant.sql");

  /** Older code runs on a schema one version ahead, so that an upgrade can roll. */
  private static final int NEWEST_USABLE = RESOURCES.size() + 1;

  /** Where a statement ends in our resources. */
  private static final Pattern STATEMENT_END = Pattern.compile(";\\s*\\n");

  private static final int TURN_TIMEOUT_S = 60;

  /** Processes that start together take turns; a lock's name has 64 characters at most. */
  private static final String TURN = "concat('holdfast.', md5(concat(database(), '.${prefix}')))";

  private final Database database;

  MariaDbSchema(Database database) {
    this.database = database;
  }

  @Override
  public List<Migration> status() {
    Set<Integer> applied = applied();
    List<Migration> result = new ArrayList<>();
    for (int version = 1; version <= RESOURCES.size(); version++) {
      result.add(new Migration(version, name(version), applied.contains(version)));
    }
    return result;
  }

  @Override
  public List<Integer> migrate() {
    if (isComplete(applied())) {
      return List.of();
    }
    return database.onConnection(
        "make Holdfast's tables",
        connection -> {
          takeTurn(connection);
          try {
            Set<Integer> applied = applied(connection);
            refuseNewer(applied);
            List<Integer> done = new ArrayList<>();
            for (int version = 1; version <= RESOURCES.size(); version++) {
              if (!applied.contains(version)) {
                apply(connection, version);
                done.add(version);
              }
            }
            return done;
          } finally {
            database.one(connection, "select release_lock(" + TURN + ")", row -> row.getInt(1));
          }
        });
  }

  private void takeTurn(Connection connection) throws SQLException {
    boolean taken =
        database
            .one(
                connection,
                "select coalesce(get_lock(" + TURN + ", ?), 0)",
                row -> row.getInt(1) == 1,
                TURN_TIMEOUT_S)
            .orElse(false);
    if (!taken) {
      throw new StoreUnavailable(
          "Another process has been making Holdfast's tables for %d seconds. Nothing was done by this one. Look at what it waits for, and start again."
              .formatted(TURN_TIMEOUT_S));
    }
  }

  private void apply(Connection connection, int version) throws SQLException {
    for (String statement : STATEMENT_END.split(resource(RESOURCES.get(version - 1)))) {
      if (!statement.isBlank()) {
        database.execute(connection, statement);
      }
    }
  }

  @Override
  public void verify() {
    Set<Integer> applied = applied();
    refuseNewer(applied);
    if (!isComplete(applied)) {
      throw new SchemaMismatch(
          "The tables %s_* are %s, and this version of Holdfast needs version %d. Nothing was started. Start with migration, or run what the participant's schema().print(%d) returns."
              .formatted(
                  database.prefix().value(),
                  applied.isEmpty() ? "not there" : "at version " + max(applied),
                  RESOURCES.size(),
                  max(applied)));
    }
  }

  private static boolean isComplete(Set<Integer> applied) {
    return max(applied) >= RESOURCES.size();
  }

  private void refuseNewer(Set<Integer> applied) {
    if (max(applied) > NEWEST_USABLE) {
      throw new SchemaMismatch(
          "The tables %s_* are at version %d, and this version of Holdfast can use %d at most. Nothing was changed. Run a newer version of Holdfast."
              .formatted(database.prefix().value(), max(applied), NEWEST_USABLE));
    }
  }

  private static int max(Set<Integer> versions) {
    return versions.stream().mapToInt(Integer::intValue).max().orElse(0);
  }

  private Set<Integer> applied() {
    return database.onConnection("read the version of Holdfast's tables", this::applied);
  }

  private Set<Integer> applied(Connection connection) throws SQLException {
    boolean exists =
        database
            .one(
                connection,
                """
                select 1 from information_schema.tables
                where table_schema = database() and table_name = '${prefix}_schema_version'
                """,
                row -> true)
            .orElse(false);
    return exists
        ? new HashSet<>(
            database.many(
                connection, "select version from ${prefix}_schema_version", row -> row.getInt(1)))
        : Set.of();
  }

  @Override
  public String print(int fromVersion) {
    StringBuilder sql = new StringBuilder();
    for (int version = fromVersion + 1; version <= RESOURCES.size(); version++) {
      sql.append(database.prefix().in(resource(RESOURCES.get(version - 1)))).append('\n');
    }
    return sql.toString();
  }

  @Override
  public String printRoles() {
    return database.prefix().in(resource("roles.sql"));
  }

  private static String name(int version) {
    String file = RESOURCES.get(version - 1);
    return file.substring(4, file.length() - ".sql".length());
  }

  private static String resource(String name) {
    try (InputStream in = MariaDbSchema.class.getResourceAsStream("schema/" + name)) {
      if (in == null) {
        throw new IllegalStateException("Resource schema/" + name + " is not in the jar.");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
