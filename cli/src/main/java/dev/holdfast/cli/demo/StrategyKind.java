package dev.holdfast.cli.demo;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Holdfast;
import dev.holdfast.http.WebhookVerifier;
import dev.holdfast.kafka.inbox.KafkaInbox;
import dev.holdfast.kafka.inbox.KafkaInboxSettings;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.PostgresStore;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import javax.sql.DataSource;

/**
 * The strategies that can be shown: of sending, where the order service is on trial, of receiving,
 * where it sends by the outbox and the shipping service is, of writing to two databases, of having
 * a card charged in between, and of writing to a search index.
 */
enum StrategyKind {
  DB_THEN_BROKER("db-then-broker", false),
  BROKER_THEN_DB("broker-then-db", false),
  OUTBOX("outbox", true),
  CONSUME_THEN_ACK("consume-then-ack", false),
  ACK_THEN_CONSUME("ack-then-consume", false),
  INBOX("inbox", true),
  WEBHOOK("webhook", true),
  TWO_DATABASES_NAIVE("two-databases-naive", false),
  TWO_PHASE("two-phase", true),
  CHECKOUT_NAIVE("checkout-naive", false),
  CHECKOUT("checkout", true),
  SEARCH_NAIVE("search-naive", false),
  SEARCH("search", true);

  /** The shipping service, to the broker and to its own inbox. */
  static final String CONSUMER = "shipping";

  private final String id;
  private final boolean promisesZeros;

  StrategyKind(String id, boolean promisesZeros) {
    this.id = id;
    this.promisesZeros = promisesZeros;
  }

  String id() {
    return id;
  }

  /** Whether it must show no violation. */
  boolean promisesZeros() {
    return promisesZeros;
  }

  /** A webhook has one address, and so one instance behind it. */
  int shippingInstances() {
    return switch (this) {
      case DB_THEN_BROKER, BROKER_THEN_DB, OUTBOX -> 0;
      case TWO_DATABASES_NAIVE, TWO_PHASE, CHECKOUT_NAIVE, CHECKOUT, SEARCH_NAIVE, SEARCH -> 0;
      case CONSUME_THEN_ACK, ACK_THEN_CONSUME, INBOX -> 2;
      case WEBHOOK -> 1;
    };
  }

  /** Whether it is shipments that are counted, and not messages. */
  boolean receives() {
    return shippingInstances() > 0;
  }

  /** Whether it is entries in a ledger that are counted, in a database on another server. */
  boolean hasLedger() {
    return switch (this) {
      case DB_THEN_BROKER, BROKER_THEN_DB, OUTBOX -> false;
      case CONSUME_THEN_ACK, ACK_THEN_CONSUME, INBOX, WEBHOOK -> false;
      case CHECKOUT_NAIVE, CHECKOUT, SEARCH_NAIVE, SEARCH -> false;
      case TWO_DATABASES_NAIVE, TWO_PHASE -> true;
    };
  }

  /** Whether charges and stock are counted, too; the provider's database is on another server. */
  boolean takesPayments() {
    return switch (this) {
      case DB_THEN_BROKER, BROKER_THEN_DB, OUTBOX -> false;
      case CONSUME_THEN_ACK, ACK_THEN_CONSUME, INBOX, WEBHOOK -> false;
      case TWO_DATABASES_NAIVE, TWO_PHASE, SEARCH_NAIVE, SEARCH -> false;
      case CHECKOUT_NAIVE, CHECKOUT -> true;
    };
  }

  /** Whether orders change a catalogue, whose index is compared with it. */
  boolean hasIndex() {
    return switch (this) {
      case DB_THEN_BROKER, BROKER_THEN_DB, OUTBOX -> false;
      case CONSUME_THEN_ACK, ACK_THEN_CONSUME, INBOX, WEBHOOK -> false;
      case TWO_DATABASES_NAIVE, TWO_PHASE, CHECKOUT_NAIVE, CHECKOUT -> false;
      case SEARCH_NAIVE, SEARCH -> true;
    };
  }

  /** Whether messages go to the broker. */
  boolean hasBroker() {
    return !hasLedger() && !hasIndex();
  }

  /** Whether it has something on a second server of PostgreSQL. */
  boolean hasSecondServer() {
    return hasLedger() || takesPayments();
  }

  /** Whether the order service's database loses replies. */
  boolean losesReplies() {
    return hasSecondServer() || hasIndex();
  }

  /** What its index is searched by. */
  String index() {
    return "products-" + id;
  }

  /** The topic of its messages. */
  String topic() {
    return "orders." + id;
  }

  Strategy openOrders(Wiring wiring) {
    return switch (this) {
      case DB_THEN_BROKER -> new TwoCommits(wiring, false);
      case BROKER_THEN_DB -> new TwoCommits(wiring, true);
      case OUTBOX, CONSUME_THEN_ACK, ACK_THEN_CONSUME, INBOX -> WithOutbox.toKafka(wiring);
      case WEBHOOK -> WithOutbox.toWebhook(wiring);
      case TWO_DATABASES_NAIVE -> new TwoDatabases(wiring);
      case TWO_PHASE -> new WithTwoPhase(wiring);
      case CHECKOUT_NAIVE -> new NaiveCheckout(wiring);
      case CHECKOUT -> new WithWorkflow(wiring);
      case SEARCH_NAIVE -> new NaiveSearch(wiring, index());
      case SEARCH -> new WithSearch(wiring, index());
    };
  }

  /** What runs then runs until the process is killed. */
  void openShipping(Wiring wiring, HttpServer server) {
    switch (this) {
      case DB_THEN_BROKER,
          BROKER_THEN_DB,
          OUTBOX,
          TWO_DATABASES_NAIVE,
          TWO_PHASE,
          CHECKOUT_NAIVE,
          CHECKOUT,
          SEARCH_NAIVE,
          SEARCH ->
          throw new IllegalArgumentException(id + " has no shipping service");
      case CONSUME_THEN_ACK -> NaiveConsumer.start(wiring, false);
      case ACK_THEN_CONSUME -> NaiveConsumer.start(wiring, true);
      case INBOX ->
          KafkaInbox.start(
              Holdfast.on(wiring.dataSource()).withUpkeep().start(),
              CONSUMER,
              wiring.consumerConfig(),
              KafkaInboxSettings.DEFAULT,
              List.of(topic()),
              (tx, message) ->
                  Shipments.ship(
                      tx.connection(),
                      OrderMessage.parse(new String(message.value(), StandardCharsets.UTF_8))));
      case WEBHOOK ->
          WebhookReceiver.serve(
              Holdfast.on(wiring.dataSource()).withUpkeep().start(),
              WebhookVerifier.of(Wiring.secret()),
              server);
    }
  }

  /**
   * Whether nothing recorded waits to be done, or to be delivered, any more.
   *
   * @param orders the order service's database
   */
  boolean isSent(DataSource orders) throws SQLException {
    return switch (this) {
      case DB_THEN_BROKER, BROKER_THEN_DB, TWO_DATABASES_NAIVE, TWO_PHASE -> true;
      case CHECKOUT_NAIVE, SEARCH_NAIVE -> true;
      case OUTBOX, CONSUME_THEN_ACK, ACK_THEN_CONSUME, INBOX, WEBHOOK -> isDelivered(orders);
      case CHECKOUT -> WithWorkflow.isEnded(orders) && isDelivered(orders);
      case SEARCH -> WithSearch.isPublished(orders);
    };
  }

  private static boolean isDelivered(DataSource orders) {
    Store store = PostgresStore.open(orders, WithOutbox.SCHEMA);
    return store.channels().status(WithOutbox.CHANNEL).lagMessages() == 0;
  }

  static Optional<StrategyKind> byId(String id) {
    return Arrays.stream(values()).filter(kind -> kind.id.equals(id)).findFirst();
  }

  static String ids() {
    return Arrays.stream(values()).map(StrategyKind::id).collect(Collectors.joining(", "));
  }
}
