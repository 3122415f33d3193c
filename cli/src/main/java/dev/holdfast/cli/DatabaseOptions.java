package dev.holdfast.cli;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.PostgresStore;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of every command that needs a database. */
public final class DatabaseOptions {
  public static final String DEFAULT_SCHEMA = "holdfast";

  @Option(
      names = "--database",
      paramLabel = "URL",
      description =
          "jdbc:postgresql://HOST:PORT/NAME; HOLDFAST_DATABASE in the environment when not given,"
              + " and the credentials in HOLDFAST_USER and HOLDFAST_PASSWORD.")
  private @Nullable String database;

  @Option(
      names = "--schema",
      paramLabel = "NAME",
      description = "The schema of Holdfast's tables (default: " + DEFAULT_SCHEMA + ").")
  private @Nullable String schema;

  /** The URL as it was given, if it was. */
  public @Nullable String database() {
    return database;
  }

  /** The schema as it was given, if it was. */
  public @Nullable String schema() {
    return schema;
  }

  /** The address from the options or the environment. */
  public DatabaseAddress address() {
    return address(database, schema, System.getenv());
  }

  /** As {@link #address()}, of any options and environment. */
  static DatabaseAddress address(
      @Nullable String database, @Nullable String schema, Map<String, String> environment) {
    String url = database == null ? environment.get("HOLDFAST_DATABASE") : database;
    if (url == null) {
      throw new InvalidConfiguration(
          "No database is named, so nothing was done. Give --database"
              + " jdbc:postgresql://HOST:PORT/NAME, or set HOLDFAST_DATABASE.");
    }
    return DatabaseAddress.of(
        url,
        environment.get("HOLDFAST_USER"),
        environment.get("HOLDFAST_PASSWORD"),
        Objects.requireNonNullElse(schema, DEFAULT_SCHEMA));
  }

  /** Runs something on the store of a database that answers, whatever tables it has. */
  <T> T withStore(Function<Store, T> work) {
    DatabaseAddress address = address();
    Store store = PostgresStore.open(address.dataSource(), address.schema());
    address.verify();
    return work.apply(store);
  }

  /** Runs something on the store, if this version can work with its tables. */
  public <T> T withTables(Function<Store, T> work) {
    return withStore(
        store -> {
          store.schema().verify();
          return work.apply(store);
        });
  }
}
