package dev.holdfast.cli;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.SchemaMismatch;
import dev.holdfast.outbox.store.SchemaManager;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.PostgresStore;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code holdfast schema}: prints, applies and compares the migrations. */
@Command(name = "schema", description = "Holdfast's tables: prints, applies, compares.")
public final class SchemaCommand extends Group {

  @Command(
      name = "print",
      description =
          "Prints the SQL of the migrations, for a DBA or another tool; needs no database.")
  void print(
      @Option(
              names = "--from",
              paramLabel = "VERSION",
              defaultValue = "0",
              description = "Leaves out the migrations up to this version.")
          int from,
      @Option(names = "--roles", description = "Prints the SQL of the roles instead.")
          boolean roles,
      @Option(
              names = "--schema",
              paramLabel = "NAME",
              defaultValue = "holdfast",
              description = "The schema of Holdfast's tables (default: ${DEFAULT-VALUE}).")
          String schema,
      @Option(names = "--json", description = "Prints JSON.") boolean json) {
    if (from < 0) {
      throw new InvalidConfiguration(
          "--from is " + from + ", and must be 0 or more. Nothing was printed.");
    }
    // The data source is never asked for a connection.
    SchemaManager manager = PostgresStore.open(new PGSimpleDataSource(), schema).schema();
    String sql = roles ? manager.printRoles() : manager.print(from);
    out(json ? Json.text(Map.of("sql", sql)) : sql);
  }

  @Command(
      name = "migrate",
      description = "Applies the missing migrations; several may do so at once.")
  void migrate(
      @Mixin DatabaseOptions options,
      @Option(names = "--json", description = "Prints JSON.") boolean json) {
    List<Integer> applied = options.withStore(store -> store.schema().migrate());
    out(
        json
            ? Json.text(Map.of("applied", applied))
            : applied.isEmpty()
                ? "Nothing to do: the schema is up to date.\n"
                : "Applied " + applied + ".\n");
  }

  @Command(name = "status", description = "Shows which migrations the database has.")
  void status(
      @Mixin DatabaseOptions options,
      @Option(names = "--json", description = "Prints JSON.") boolean json) {
    Status status = options.withStore(Status::of);
    List<Map<String, Object>> values = new ArrayList<>();
    List<List<String>> rows = new ArrayList<>();
    for (SchemaManager.Migration migration : status.migrations()) {
      Map<String, Object> value = new LinkedHashMap<>();
      value.put("version", migration.version());
      value.put("name", migration.name());
      value.put("applied", migration.applied());
      values.add(value);
      rows.add(
          List.of(
              Integer.toString(migration.version()),
              migration.name(),
              migration.applied() ? "applied" : "missing"));
    }
    if (json) {
      Map<String, Object> all = new LinkedHashMap<>();
      all.put("migrations", values);
      all.put("usable", status.problem() == null);
      all.put("problem", status.problem());
      out(Json.text(all));
    } else {
      out(Table.of(List.of("version", "name", "state"), rows));
      out(status.problem() == null ? "" : status.problem() + "\n");
    }
  }

  /**
   * @param problem why this version of Holdfast cannot use the tables; {@code null} when it can
   */
  private record Status(List<SchemaManager.Migration> migrations, @Nullable String problem) {
    static Status of(Store store) {
      List<SchemaManager.Migration> migrations = store.schema().status();
      try {
        store.schema().verify();
        return new Status(migrations, null);
      } catch (SchemaMismatch e) {
        return new Status(migrations, e.getMessage());
      }
    }
  }
}
