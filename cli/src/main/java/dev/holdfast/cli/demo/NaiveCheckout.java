package dev.holdfast.cli.demo;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The usual code, with the usual care: the order and its units are committed, the provider is
 * called, again when it fails and in the end not any more; the order is confirmed or cancelled, and
 * its message sent. A retry that finds the order answers that all is well.
 */
final class NaiveCheckout implements Strategy {
  private static final Logger log = LoggerFactory.getLogger(NaiveCheckout.class);
  private static final int ATTEMPTS = 3;
  private static final Duration BETWEEN = Duration.ofMillis(100);

  private final DataSource dataSource;
  private final Payments payments;
  private final OrderTopic topic;

  NaiveCheckout(Wiring wiring) {
    this.dataSource = wiring.dataSource();
    this.payments = new Payments(wiring.peer());
    this.topic = new OrderTopic(wiring);
  }

  @Override
  public void place(String orderId, String customer)
      throws SQLException, InterruptedException, MessageNotSent {
    Purchase purchase = Purchase.of(orderId);
    if (!open(orderId, customer, purchase)) {
      return;
    }
    Optional<String> charge = charge(orderId);
    if (charge.isEmpty()) {
      cancel(orderId);
    } else if (!purchase.isDeliverable()) {
      refund(charge.get());
      cancel(orderId);
    } else {
      long sequence = confirm(orderId, customer);
      topic.send(customer, new OrderMessage(orderId, customer, sequence).json());
    }
  }

  private boolean open(String orderId, String customer, Purchase purchase) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      if (Checkouts.isPlaced(connection, orderId)) {
        return false;
      }
      connection.setAutoCommit(false);
      if (!Checkouts.insert(connection, orderId, customer)) {
        connection.rollback();
        return false;
      }
      PlainStock.hold(connection, orderId, purchase);
      connection.commit();
      return true;
    }
  }

  /** Empty when it was declined, or given up. */
  private Optional<String> charge(String orderId) throws InterruptedException {
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
      try {
        return Optional.of(payments.charge(/* key= */ null, orderId));
      } catch (Payments.Declined e) {
        return Optional.empty();
      } catch (IOException e) {
        log.warn("order {} was not paid in attempt {}", orderId, attempt, e);
        Timing.pause(BETWEEN);
      }
    }
    return Optional.empty();
  }

  private void refund(String charge) throws InterruptedException {
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
      try {
        payments.refundCharge(charge);
        return;
      } catch (IOException e) {
        log.warn("charge {} was not refunded in attempt {}", charge, attempt, e);
        Timing.pause(BETWEEN);
      }
    }
  }

  private void cancel(String orderId) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      Checkouts.cancel(connection, orderId);
      PlainStock.giveBack(connection, orderId);
      connection.commit();
    }
  }

  private long confirm(String orderId, String customer) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      long sequence = Checkouts.confirm(connection, orderId, customer);
      connection.commit();
      return sequence;
    }
  }

  @Override
  public void close() {
    topic.close();
  }
}
