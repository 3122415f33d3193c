package dev.holdfast.cli.reconcile;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.DatabaseAddress;
import dev.holdfast.kafka.reconcile.TopicSide;
import dev.holdfast.opensearch.Document;
import dev.holdfast.opensearch.SearchEngine;
import dev.holdfast.opensearch.SearchIndex;
import dev.holdfast.opensearch.SearchRepair;
import dev.holdfast.opensearch.SearchSide;
import dev.holdfast.postgres.reconcile.PostgresRepair;
import dev.holdfast.postgres.reconcile.PostgresSide;
import dev.holdfast.reconcile.Repair;
import dev.holdfast.reconcile.Side;
import dev.holdfast.reconcile.Versions;
import java.io.IOException;
import java.io.Reader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** With what it is compared: a table, an index, or a topic. */
final class DerivedOptions {
  private static final int CONNECTIONS = 2;
  private static final Duration LONGEST_WAIT_FOR_CONNECTION = Duration.ofSeconds(5);

  @Option(
      names = "--derived-table",
      paramLabel = "[SCHEMA.]TABLE",
      description = "A table with the same columns, in --derived-database.")
  private @Nullable String table;

  @Option(
      names = "--derived-database",
      paramLabel = "URL",
      description =
          "Where that is, when not in the source's database; the credentials are in"
              + " HOLDFAST_DERIVED_USER and HOLDFAST_DERIVED_PASSWORD.")
  private @Nullable String database;

  @Option(
      names = "--derived-index",
      paramLabel = "NAME",
      description = "The alias of a comparable index, at --search.")
  private @Nullable String index;

  @Option(
      names = "--search",
      paramLabel = "URL",
      description =
          "http://HOST:PORT of OpenSearch; what HOLDFAST_SEARCH_AUTHORIZATION has is sent as the"
              + " header Authorization.")
  private @Nullable URI search;

  @Option(
      names = "--versioned-by",
      paramLabel = "row|outbox",
      defaultValue = "row",
      description =
          "What the documents' external versions are, for repairs: those of the rows, or, where a"
              + " channel writes them, the outbox's positions (default: ${DEFAULT-VALUE}).")
  private String versionedBy = "row";

  @Option(
      names = "--derived-topic",
      paramLabel = "NAME",
      description = "A compacted topic, at --kafka. Needs --content-sql or --version-header.")
  private @Nullable String topic;

  @Option(
      names = "--kafka",
      paramLabel = "HOST:PORT",
      description = "The brokers, as in bootstrap.servers.")
  private @Nullable String kafka;

  @Option(
      names = "--kafka-config",
      paramLabel = "FILE",
      description = "Further settings of the consumer, as Java properties.")
  private @Nullable Path kafkaConfig;

  @Option(
      names = "--version-header",
      paramLabel = "NAME",
      description = "The header of the topic's records that has the version.")
  private @Nullable String versionHeader;

  @Option(
      names = "--columns",
      paramLabel = "COLUMN",
      split = ",",
      description =
          "What a repair writes: the columns of a table, the key's among them (default: all), or of"
              + " a document, as the fields of the same names.")
  private List<String> columns = List.of();

  /**
   * What is compared with, and how it is repaired.
   *
   * @param repair makes one; throws where that cannot be
   */
  record Derived(Side side, Function<PostgresSide, Repair> repair, AutoCloseable resource) {}

  /**
   * @param source the source's database
   */
  Derived open(
      SourceOptions options,
      DatabaseAddress source,
      HikariDataSource pool,
      Map<String, String> environment) {
    int named = (table == null ? 0 : 1) + (index == null ? 0 : 1) + (topic == null ? 0 : 1);
    if (named != 1) {
      throw new InvalidConfiguration(
          "It must be said with what the source is compared. Nothing was done. Give one of --derived-table, --derived-index and --derived-topic.");
    }
    if (table != null) {
      return table(table, options, source, pool, environment);
    }
    return index != null
        ? index(index, options, environment)
        : topic(String.valueOf(topic), options);
  }

  private Derived table(
      String name,
      SourceOptions options,
      DatabaseAddress source,
      HikariDataSource pool,
      Map<String, String> environment) {
    HikariDataSource derivedPool = pool;
    AutoCloseable resource = () -> {};
    if (database != null) {
      DatabaseAddress address =
          DatabaseAddress.of(
              database,
              environment.get("HOLDFAST_DERIVED_USER"),
              environment.get("HOLDFAST_DERIVED_PASSWORD"),
              source.schema());
      address.verify("--derived-database, HOLDFAST_DERIVED_USER and HOLDFAST_DERIVED_PASSWORD");
      derivedPool = address.pool("holdfast reconcile", CONNECTIONS, LONGEST_WAIT_FOR_CONNECTION);
      resource = derivedPool;
    }
    PostgresSide side = options.side(derivedPool, name, "--derived-table");
    return new Derived(
        side, from -> PostgresRepair.copying(from, side, columns.toArray(String[]::new)), resource);
  }

  private Derived index(String name, SourceOptions options, Map<String, String> environment) {
    if (search == null) {
      throw new InvalidConfiguration(
          "It is not said where the index %s is. Nothing was done. Give --search http://HOST:PORT."
              .formatted(name));
    }
    if (!versionedBy.equals("row") && !versionedBy.equals("outbox")) {
      throw new InvalidConfiguration(
          "--versioned-by is '%s', and must be row or outbox. Nothing was done."
              .formatted(versionedBy));
    }
    SearchEngine engine = SearchEngine.at(search);
    String authorization = environment.get("HOLDFAST_SEARCH_AUTHORIZATION");
    if (authorization != null) {
      engine = engine.header("Authorization", authorization);
    }
    SearchIndex target = SearchIndex.of(engine, name).comparable();
    return new Derived(
        SearchSide.of(target, options.comparesContent() ? Versions.OPAQUE : Versions.NUMBERS),
        source -> searchRepair(target, source, options),
        () -> {});
  }

  private Repair searchRepair(SearchIndex target, PostgresSide source, SourceOptions options) {
    if (columns.isEmpty()) {
      throw new InvalidConfiguration(
          "It is not said what a document of the %s has. Nothing was repaired. Give --columns."
              .formatted(target));
    }
    if (versionedBy.equals("row") && options.comparesContent()) {
      throw new InvalidConfiguration(
          "Documents of the %s that are compared by content cannot be repaired by the versions of rows. Nothing was repaired. Give --versioned-by outbox where a channel writes them, or --version-column."
              .formatted(target));
    }
    Function<List<String>, List<Document>> documents =
        keys ->
            source.rows(keys, columns).stream()
                .map(
                    row ->
                        Document.of(row.entry().key(), row.json())
                            .comparedBy(row.entry().version()))
                .toList();
    return versionedBy.equals("row")
        ? SearchRepair.versionedByRow(target, documents)
        : SearchRepair.versionedByOutbox(target, documents);
  }

  private Derived topic(String name, SourceOptions options) {
    if (kafka == null) {
      throw new InvalidConfiguration(
          "It is not said where the topic %s is. Nothing was done. Give --kafka HOST:PORT."
              .formatted(name));
    }
    if (versionHeader == null && !options.comparesExpression()) {
      throw new InvalidConfiguration(
          "It is not said what the records of %s are compared by. Nothing was done. Give --version-header NAME, or --content-sql with an expression that is md5 of what is sent, such as \"md5(payload)\"."
              .formatted(name));
    }
    Map<String, Object> settings = new HashMap<>(consumerSettings());
    settings.put("bootstrap.servers", kafka);
    TopicSide side = TopicSide.of(settings, name);
    return new Derived(
        versionHeader == null ? side : side.versionHeader(versionHeader),
        source -> {
          throw new InvalidConfiguration(
              "A topic takes no write with an expected version, so nothing was repaired. Publish the rows again through the outbox, in transactions that lock them.");
        },
        () -> {});
  }

  private Map<String, String> consumerSettings() {
    Properties properties = new Properties();
    if (kafkaConfig != null) {
      try (Reader reader = Files.newBufferedReader(kafkaConfig)) {
        properties.load(reader);
      } catch (IOException | IllegalArgumentException e) {
        throw new InvalidConfiguration(
            "The file %s of --kafka-config cannot be read. Nothing was done. Check the path, its permissions, and that it has Java properties."
                .formatted(kafkaConfig));
      }
    }
    Map<String, String> settings = new HashMap<>();
    properties.stringPropertyNames().forEach(key -> settings.put(key, properties.getProperty(key)));
    return settings;
  }
}
