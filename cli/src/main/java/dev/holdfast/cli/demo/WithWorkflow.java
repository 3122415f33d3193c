package dev.holdfast.cli.demo;

import dev.holdfast.Holdfast;
import dev.holdfast.HoldfastException;
import dev.holdfast.Message;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.outbox.RelaySettings;
import dev.holdfast.postgres.PostgresStore;
import dev.holdfast.reservation.Reservation;
import dev.holdfast.reservation.Reservations;
import dev.holdfast.workflow.Flow;
import dev.holdfast.workflow.Rejected;
import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.RunFailed;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Seen;
import dev.holdfast.workflow.Step;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.Workflows;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A checkout as a workflow. What an instance leaves unfinished when it is killed is continued by
 * the other, or by its next start, or undone.
 */
final class WithWorkflow implements Strategy {
  static final StockTables STOCK =
      new StockTables(
          """
          select id, stock, case state when 'CONFIRMED' then confirmed else quantity end
          from holdfast.reservation_item where state in ('HELD', 'CONFIRMED')
          """,
          "select name, capacity - free from holdfast.stock_level");

  private static final Logger log = LoggerFactory.getLogger(WithWorkflow.class);

  private static final String UNENDED =
      """
      select count(*) from holdfast.workflow_state
      where status not in ('COMPLETED', 'FAILED', 'CANCELLED')
      """;

  /** Shorter than by default, as instances are killed more often than usually. */
  private static final WorkflowSettings SETTINGS =
      WorkflowSettings.DEFAULT
          .withLease(Duration.ofSeconds(2))
          .withPollInterval(Duration.ofMillis(100))
          .withInFlight(16);

  /** Through any outage of the provider's. */
  private static final Retry RETRY =
      Retry.forever().withWaits(Duration.ofMillis(50), Duration.ofSeconds(2));

  /** Longer than a charge can be under way at the provider. */
  private static final Duration SETTLE_AFTER = Duration.ofSeconds(10);

  private static final Duration KEY_KEPT_FOR = Duration.ofDays(1);

  /** Clients wait longer. */
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(8);

  private final Workflow<Order, Receipt> checkout =
      Workflow.define("checkout", 1, Order.class, Receipt.class, this::checkOut);
  private final Payments payments;
  private final String topic;
  private final Reservations reservations;
  private final Holdfast holdfast;

  /** What a checkout is started with. */
  record Order(String id, String customer) {}

  /** What comes of it. */
  record Receipt(String charge) {}

  WithWorkflow(Wiring wiring) {
    this.payments = new Payments(wiring.peer());
    this.topic = wiring.topic();
    // Not asked of what is started next: that takes up runs before it is there to be asked.
    this.reservations =
        new Reservations(PostgresStore.open(wiring.dataSource(), WithOutbox.SCHEMA).reservations());
    this.holdfast =
        Holdfast.on(wiring.dataSource())
            .schema(WithOutbox.SCHEMA)
            .channel(WithOutbox.CHANNEL, Kafka.to(wiring.producerConfig()), topic)
            .relay(
                RelaySettings.DEFAULT
                    .withLeaseDuration(Duration.ofSeconds(1))
                    .withLongestRetry(Duration.ofMillis(500)))
            .workflow(checkout)
            .workflows(SETTINGS)
            .start();
    holdfast.transact(
        tx -> {
          for (int article = 0; article < Purchase.ARTICLES; article++) {
            reservations.setCapacity(tx, Purchase.article(article), PlainStock.CAPACITY);
          }
        });
  }

  /**
   * Without a pivot, since all of it can be undone until its last step has committed: when what was
   * held has expired by then, the step fails and the money is given back.
   */
  private Receipt checkOut(Flow flow, Order order) throws Undeliverable {
    Purchase purchase = Purchase.of(order.id());
    flow.step("order")
        .compensate(tx -> Checkouts.cancel(tx.connection(), order.id()))
        .transact(tx -> open(tx.connection(), order));
    flow.step("reserve")
        .compensate(tx -> reservations.cancel(tx, order.id()).orThrow())
        .transact(
            tx ->
                reservations
                    .reserve(tx, Reservation.of(order.id(), purchase.article(), purchase.units()))
                    .orThrow());
    String charge =
        resolved(flow.step("charge", String.class), purchase)
            .timeout(Payments.TIMEOUT.multipliedBy(2))
            .retry(RETRY)
            .compensate((key, known) -> payments.refundKey(key))
            .retryCompensation(RETRY)
            .call(key -> charge(key, order));
    if (!purchase.isDeliverable()) {
      throw new Undeliverable();
    }
    flow.step("confirm")
        .transact(
            tx -> {
              reservations.confirm(tx, order.id()).orThrow();
              long sequence = Checkouts.confirm(tx.connection(), order.id(), order.customer());
              tx.publish(
                  Message.of(
                      topic,
                      order.customer(),
                      new OrderMessage(order.id(), order.customer(), sequence).json()));
            });
    return new Receipt(charge);
  }

  private static void open(Connection connection, Order order) throws SQLException {
    if (!Checkouts.insert(connection, order.id(), order.customer())) {
      throw new IllegalStateException(order.id() + " is there already");
    }
  }

  /**
   * How it is found out what became of a charge, in both ways that the provider offers: it is
   * asked, or charged again under the same key. Either suffices.
   */
  private Step.Called<String> resolved(Step<String> charge, Purchase purchase) {
    return purchase.isLookedUp()
        ? charge.lookup(this::find).settleAfter(SETTLE_AFTER).keyKeptFor(KEY_KEPT_FOR)
        : charge.keyKeptFor(KEY_KEPT_FOR);
  }

  private String charge(String key, Order order) throws IOException, InterruptedException {
    try {
      return payments.charge(key, order.id());
    } catch (Payments.Declined e) {
      throw new Rejected(e.reason());
    }
  }

  private Seen<String> find(String key) throws IOException, InterruptedException {
    try {
      return payments.find(key).map(Seen::happened).orElseGet(Seen::notYet);
    } catch (Payments.Declined e) {
      return Seen.willNotHappen(e.reason());
    }
  }

  @Override
  public void place(String orderId, String customer) throws InterruptedException {
    Workflows workflows = holdfast.workflows();
    Purchase purchase = Purchase.of(orderId);
    workflows.start(checkout, orderId, new Order(orderId, customer));
    if (purchase.isRegretted()) {
      // Anywhere in the checkout.
      awaitEnd(orderId, Duration.ofMillis(purchase.number() * 7 % 200));
      workflows.cancel(orderId, "the customer does not want it any more", customer);
    }
    if (!awaitEnd(orderId, LONGEST_ANSWER) && !isStuck(orderId)) {
      throw new HoldfastException(
          "The checkout of %s goes on, and has not come to its end within %d s. Ask again."
              .formatted(orderId, LONGEST_ANSWER.toSeconds()));
    }
  }

  private boolean awaitEnd(String orderId, Duration atMost) throws InterruptedException {
    try {
      return holdfast.workflows().result(checkout, orderId, atMost).isPresent();
    } catch (RunFailed e) {
      log.debug("order {} is cancelled", orderId, e);
      return true;
    }
  }

  /** Nothing will come of it until a person has looked, so that there is no use in asking again. */
  private boolean isStuck(String orderId) {
    return holdfast.workflows().status(orderId).equals(Optional.of(RunStatus.STUCK));
  }

  /** Whether no checkout is under way, or stuck. */
  static boolean isEnded(DataSource orders) throws SQLException {
    try (Connection connection = orders.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(UNENDED)) {
      row.next();
      return row.getInt(1) == 0;
    }
  }

  @Override
  public void close() {
    holdfast.close();
  }

  /** The carrier does not take it. */
  private static final class Undeliverable extends Exception {
    private static final long serialVersionUID = 1L;
  }
}
