package dev.holdfast.cli.demo;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.http.Webhook;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.outbox.RelaySettings;
import dev.holdfast.outbox.Target;
import java.sql.SQLException;
import java.time.Duration;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The order and its message in one commit; the relay runs in the same process. */
final class WithOutbox implements Strategy {
  static final String CHANNEL = "demo";
  static final String SCHEMA = "holdfast";

  private static final Logger log = LoggerFactory.getLogger(WithOutbox.class);

  private final Holdfast holdfast;
  private final String topic;

  private WithOutbox(Wiring wiring, Target target) {
    this.topic = wiring.topic();
    this.holdfast =
        Holdfast.on(wiring.dataSource())
            .schema(SCHEMA)
            .channel(CHANNEL, target, topic)
            .relay(
                RelaySettings.DEFAULT
                    .withLeaseDuration(Duration.ofSeconds(1))
                    .withLongestRetry(Duration.ofMillis(500)))
            .start();
  }

  static WithOutbox toKafka(Wiring wiring) {
    return new WithOutbox(wiring, Kafka.to(wiring.producerConfig()));
  }

  static WithOutbox toWebhook(Wiring wiring) {
    return new WithOutbox(
        wiring, Webhook.to(wiring.peer().resolve(WebhookReceiver.PATH)).secrets(Wiring.secret()));
  }

  @Override
  public void place(String orderId, String customer) throws SQLException {
    try {
      holdfast.transact(
          tx -> {
            if (Orders.isPlaced(tx.connection(), orderId)) {
              throw new AlreadyPlaced();
            }
            OptionalLong sequence = Orders.insert(tx.connection(), orderId, customer);
            if (sequence.isEmpty()) {
              throw new AlreadyPlaced();
            }
            tx.publish(
                Message.of(
                    topic,
                    customer,
                    new OrderMessage(orderId, customer, sequence.getAsLong()).json()));
          });
    } catch (AlreadyPlaced e) {
      log.debug("order {} was placed before", orderId);
    }
  }

  @Override
  public void close() {
    holdfast.close();
  }

  /** Rolls the transaction back: there is nothing to do. */
  private static final class AlreadyPlaced extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }
}
