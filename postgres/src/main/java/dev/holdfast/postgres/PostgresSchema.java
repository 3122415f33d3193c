package dev.holdfast.postgres;

import dev.holdfast.SchemaMismatch;
import dev.holdfast.outbox.store.SchemaManager;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Numbered resources, applied in order, each in a transaction of its own. */
final class PostgresSchema implements SchemaManager {
  /** Every migration there is; released ones never change. */
  private static final List<String> RESOURCES =
      List.of(
          "001_outbox.sql",
          "002_operation_events.sql",
          "003_inbox.sql",
          "004_consumer.sql",
          "005_operation_receipts.sql",
          "006_twophase.sql",
          "007_reservation.sql",
          "008_workflow.sql",
          "009_eventlog.sql",
          "010_projection.sql");

  /** Older code runs on a schema one version ahead, so that an upgrade can roll. */
  private static final int NEWEST_USABLE = RESOURCES.size() + 1;

  private final Database database;

  PostgresSchema(Database database) {
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
    refuseNewer(applied());
    List<Integer> done = new ArrayList<>();
    for (int version = 1; version <= RESOURCES.size(); version++) {
      int wanted = version;
      boolean ran =
          database.transact(
              "apply migration " + version,
              connection -> {
                // Processes that start together take turns; class 'HOLD', object 'schema'.
                database.call(
                    connection, "select pg_advisory_xact_lock(1213156422, hashtext('${schema}'))");
                if (applied(connection).contains(wanted)) {
                  return false;
                }
                try (Statement statement = connection.createStatement()) {
                  statement.execute(database.schema().in(resource(RESOURCES.get(wanted - 1))));
                }
                return true;
              });
      if (ran) {
        done.add(version);
      }
    }
    return done;
  }

  @Override
  public void verify() {
    Set<Integer> applied = applied();
    refuseNewer(applied);
    for (int version = 1; version <= RESOURCES.size(); version++) {
      if (!applied.contains(version)) {
        throw new SchemaMismatch(
            "Schema %s is %s, and this version of Holdfast needs version %d. Nothing was started. Run: holdfast schema migrate."
                .formatted(
                    database.schema().value(),
                    applied.isEmpty() ? "without Holdfast's tables" : "at version " + max(applied),
                    RESOURCES.size()));
      }
    }
  }

  private void refuseNewer(Set<Integer> applied) {
    if (max(applied) > NEWEST_USABLE) {
      throw new SchemaMismatch(
          "Schema %s is at version %d, and this version of Holdfast can use %d at most. Nothing was changed. Run a newer version of Holdfast."
              .formatted(database.schema().value(), max(applied), NEWEST_USABLE));
    }
  }

  private static int max(Set<Integer> versions) {
    return versions.stream().mapToInt(Integer::intValue).max().orElse(0);
  }

  private Set<Integer> applied() {
    return database.transact("read the schema's version", this::applied);
  }

  private Set<Integer> applied(Connection connection) throws SQLException {
    boolean exists =
        database
            .one(
                connection,
                "select to_regclass('${schema}.schema_version') is not null",
                row -> row.getBoolean(1))
            .orElse(false);
    return exists
        ? new HashSet<>(
            database.many(
                connection, "select version from ${schema}.schema_version", row -> row.getInt(1)))
        : Set.of();
  }

  @Override
  public String print(int fromVersion) {
    return print(database.schema(), fromVersion);
  }

  static String print(SchemaName schema, int fromVersion) {
    StringBuilder sql = new StringBuilder();
    for (int version = fromVersion + 1; version <= RESOURCES.size(); version++) {
      sql.append(schema.in(resource(RESOURCES.get(version - 1)))).append('\n');
    }
    return sql.toString();
  }

  @Override
  public String printRoles() {
    return database.schema().in(resource("roles.sql"));
  }

  private static String name(int version) {
    String file = RESOURCES.get(version - 1);
    return file.substring(4, file.length() - ".sql".length());
  }

  private static String resource(String name) {
    try (InputStream in = PostgresSchema.class.getResourceAsStream("schema/" + name)) {
      if (in == null) {
        throw new IllegalStateException("Resource schema/" + name + " is not in the jar.");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
