package dev.holdfast.cli.demo;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.outbox.RelaySettings;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/** The order and its message in one commit; the relay runs in the same process. */
final class WithOutbox implements Strategy {
  static final String CHANNEL = "demo";
  static final String SCHEMA = "holdfast";

  private final Holdfast holdfast;
  private final String topic;

  WithOutbox(Wiring wiring) {
    this.topic = wiring.topic();
    this.holdfast =
        Holdfast.on(wiring.dataSource())
            .schema(SCHEMA)
            .channel(CHANNEL, Kafka.to(wiring.producerConfig()), topic)
            .relay(
                RelaySettings.DEFAULT
                    .withLeaseDuration(Duration.ofSeconds(1))
                    .withLongestRetry(Duration.ofMillis(500)))
            .start();
  }

  @Override
  public Optional<Instant> place(String orderId, String customer) throws SQLException {
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
            tx.publish(Message.of(topic, customer, Orders.message(orderId, sequence.getAsLong())));
          });
      return Optional.of(Timing.now());
    } catch (AlreadyPlaced e) {
      return Optional.empty();
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
