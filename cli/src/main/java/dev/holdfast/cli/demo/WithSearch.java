package dev.holdfast.cli.demo;

import dev.holdfast.Holdfast;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.opensearch.Document;
import dev.holdfast.opensearch.SearchEngine;
import dev.holdfast.opensearch.SearchIndex;
import dev.holdfast.opensearch.SearchTarget;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.postgres.PostgresStore;
import dev.holdfast.projection.EventChannel;
import dev.holdfast.projection.EventChannels;
import dev.holdfast.projection.ProjectionSettings;
import dev.holdfast.projection.store.ProjectionStore;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The change and an event that says what the product has become in one commit; a channel of the
 * event log writes the documents, in the same process, or in the other.
 */
final class WithSearch implements Strategy {
  private static final Logger log = LoggerFactory.getLogger(WithSearch.class);

  private static final String CHANNEL = "catalogue";
  private static final String CHANGED = "product.changed";
  private static final String DELETED = "product.deleted";

  /** Shorter than by default, as instances are killed more often than usually. */
  private static final ProjectionSettings SETTINGS =
      ProjectionSettings.DEFAULT
          .withLease(Duration.ofSeconds(1))
          .withPollInterval(Duration.ofMillis(20));

  private static final String LAST =
      "select coalesce(max(position), 0) from " + WithOutbox.SCHEMA + ".event";

  private final Holdfast holdfast;
  private final EventChannels channels;

  /**
   * @param index its alias, which is there
   */
  WithSearch(Wiring wiring, String index) {
    this.holdfast = Holdfast.on(wiring.dataSource()).schema(WithOutbox.SCHEMA).start();
    this.channels =
        EventChannels.start(
            holdfast,
            SETTINGS,
            EventChannel.named(
                CHANNEL,
                SearchTarget.to(
                    index(SearchEngine.at(wiring.peer()).timeout(SearchNetwork.TIMEOUT), index),
                    WithSearch::document)));
  }

  private static SearchIndex index(SearchEngine engine, String name) {
    return SearchIndex.of(engine, name).definition(IndexReader.DEFINITION);
  }

  /** Makes the index, as whoever deploys the service does. */
  static void createIndex(URI engine, String name) {
    index(SearchEngine.at(engine), name).create();
  }

  private static Optional<Document> document(OutboxRecord event) {
    String product = Objects.requireNonNull(event.key());
    return Optional.of(
        event.type().equals(DELETED)
            ? Document.deleted(product)
            : Document.of(
                product,
                new String(Objects.requireNonNull(event.payload()), StandardCharsets.UTF_8)));
  }

  @Override
  public void place(String orderId, String customer) {
    try {
      holdfast.transact(
          tx -> {
            if (Catalogue.isMade(tx.connection(), orderId)) {
              throw new AlreadyMade();
            }
            Catalogue.State state =
                Catalogue.make(tx.connection(), orderId, customer).orElseThrow(AlreadyMade::new);
            holdfast
                .eventLog()
                .append(
                    tx,
                    Append.to(
                        state.id(),
                        // Each change is an event, so that a product's changes are counted by both.
                        ExpectedVersion.exactly(state.revision() - 1),
                        event(state)));
          });
    } catch (AlreadyMade e) {
      log.debug("change {} was made before", orderId);
    }
  }

  private static EventData event(Catalogue.State state) {
    Catalogue.Product product = state.product();
    return product == null
        ? EventData.json(DELETED, "{}")
        : EventData.json(CHANGED, product.document().toString());
  }

  /** Whether every event is written to the index, as the channel has it. */
  static boolean isPublished(DataSource orders) throws SQLException {
    long applied =
        PostgresStore.open(orders, WithOutbox.SCHEMA)
            .projections()
            .applied(new ProjectionStore.Version("channel/" + CHANNEL, 1));
    try (Connection connection = orders.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(LAST)) {
      row.next();
      return applied >= row.getLong(1);
    }
  }

  @Override
  public void close() {
    channels.close();
    holdfast.close();
  }

  /** Rolls the transaction back: there is nothing to do. */
  private static final class AlreadyMade extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }
}
