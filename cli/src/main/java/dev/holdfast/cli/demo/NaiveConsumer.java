package dev.holdfast.cli.demo;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The usual code, with the usual care: what a poll brought is handled record by record, each in a
 * transaction that is tried again until it commits, and the offsets are committed to the broker,
 * behind that or in front of it.
 */
final class NaiveConsumer {
  private static final Logger log = LoggerFactory.getLogger(NaiveConsumer.class);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration RETRY_AFTER = Duration.ofMillis(100);

  private final DataSource dataSource;
  private final String topic;
  private final Map<String, Object> config;
  private final boolean ackFirst;

  private NaiveConsumer(Wiring wiring, boolean ackFirst) {
    this.dataSource = wiring.dataSource();
    this.topic = wiring.topic();
    this.config = new HashMap<>(wiring.consumerConfig());
    config.put("group.id", StrategyKind.CONSUMER);
    config.put("isolation.level", "read_committed");
    config.put("enable.auto.commit", false);
    config.put("auto.offset.reset", "earliest");
    this.ackFirst = ackFirst;
  }

  /**
   * Consumes on a thread of its own, until the process is killed.
   *
   * @param ackFirst whether the offsets are committed before the records are handled
   */
  static void start(Wiring wiring, boolean ackFirst) {
    new Thread(new NaiveConsumer(wiring, ackFirst)::run, "shipping").start();
  }

  private void run() {
    try {
      while (true) {
        try (KafkaConsumer<String, String> consumer =
            new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
          consumer.subscribe(List.of(topic));
          consume(consumer);
        } catch (KafkaException e) {
          log.warn("goes on from the offsets that were committed", e);
          Timing.pause(RETRY_AFTER);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void consume(KafkaConsumer<String, String> consumer) throws InterruptedException {
    while (true) {
      ConsumerRecords<String, String> records = consumer.poll(POLL);
      if (records.isEmpty()) {
        continue;
      }
      if (ackFirst) {
        consumer.commitSync();
      }
      for (ConsumerRecord<String, String> row : records) {
        handle(OrderMessage.parse(row.value()));
      }
      log.debug("{} records are handled", records.count());
      if (!ackFirst) {
        consumer.commitSync();
      }
    }
  }

  private void handle(OrderMessage order) throws InterruptedException {
    while (true) {
      try (Connection connection = dataSource.getConnection()) {
        connection.setAutoCommit(false);
        Shipments.ship(connection, order);
        connection.commit();
        return;
      } catch (SQLException e) {
        log.warn("order {} was not shipped; tried again", order.order(), e);
        Timing.pause(RETRY_AFTER);
      }
    }
  }
}
