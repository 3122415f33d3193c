package dev.holdfast.benchmarks;

import io.eventuate.common.jdbc.EventuateSchema;
import io.eventuate.common.spring.jdbc.EventuateSpringJdbcStatementExecutor;
import io.eventuate.common.spring.jdbc.EventuateSpringTransactionTemplate;
import io.eventuate.tram.consumer.common.DuplicateMessageDetector;
import io.eventuate.tram.consumer.jdbc.SqlTableBasedDuplicateMessageDetector;
import io.eventuate.tram.messaging.common.Message;
import io.eventuate.tram.messaging.common.MessageImpl;
import io.eventuate.tram.messaging.common.SubscriberIdAndMessage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Eventuate Tram's own detector of duplicates, with its own table and its own binding to Spring, as
 * its consumer uses it: a transaction for each message, partitions side by side, offsets after what
 * was handled. The loop around it is ours, since its consumer wants messages in its own JSON.
 */
final class EventuateContender implements InboxContender {
  /** As many as the topic has partitions. */
  private static final int LANES = 4;

  private static final String CONSUMER = "bench";

  /**
   * What its dialect of PostgreSQL says; the dialect itself wants libraries that are not needed.
   */
  private static final String NOW_MILLIS = "(ROUND(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) * 1000))";

  @Override
  public String name() {
    return "eventuate";
  }

  @Override
  public Set<InboxScenario> scenarios() {
    return EnumSet.of(InboxScenario.MESSAGE_ID);
  }

  @Override
  public String guarantee(InboxScenario scenario) {
    return "each id once, as long as nobody deletes it; a bad record stops its partition";
  }

  @Override
  public AutoCloseable start(InboxScenario scenario, Venue venue) {
    // As its scripts for PostgreSQL make it.
    Db.execute(
        venue.pool(),
        "create schema if not exists eventuate",
        "drop table if exists eventuate.received_messages",
        """
        create table eventuate.received_messages (
          consumer_id varchar(1000), message_id varchar(1000), creation_time bigint,
          published smallint default 0, primary key (consumer_id, message_id))
        """);
    return Background.start(name(), running -> read(venue, running));
  }

  private void read(Venue venue, Background.Running running)
      throws InterruptedException, ExecutionException {
    JdbcTemplate jdbc = new JdbcTemplate(venue.pool());
    DuplicateMessageDetector detector =
        new SqlTableBasedDuplicateMessageDetector(
            new EventuateSchema(),
            NOW_MILLIS,
            new EventuateSpringJdbcStatementExecutor(jdbc),
            new EventuateSpringTransactionTemplate(
                new TransactionTemplate(new JdbcTransactionManager(venue.pool()))));
    Map<String, Object> config = new HashMap<>(BestSettings.consumer(venue.bootstrapServers()));
    config.put("group.id", name() + "-" + venue.topic());
    config.put("enable.auto.commit", false);
    config.put("auto.offset.reset", "earliest");
    config.put("isolation.level", "read_committed");
    ExecutorService lanes = Executors.newFixedThreadPool(LANES);
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(venue.topic()));
      while (running.isWanted()) {
        ConsumerRecords<byte[], byte[]> polled = consumer.poll(Duration.ofMillis(100));
        if (!polled.isEmpty()) {
          handle(polled, lanes, detector, jdbc);
          consumer.commitSync();
        }
      }
    } finally {
      lanes.shutdownNow();
    }
  }

  private static void handle(
      ConsumerRecords<byte[], byte[]> polled,
      ExecutorService lanes,
      DuplicateMessageDetector detector,
      JdbcTemplate jdbc)
      throws InterruptedException, ExecutionException {
    List<Callable<Boolean>> all = new ArrayList<>();
    for (TopicPartition partition : polled.partitions()) {
      all.add(
          () -> {
            polled.records(partition).forEach(message -> handle(message, detector, jdbc));
            return true;
          });
    }
    for (Future<Boolean> each : lanes.invokeAll(all)) {
      each.get();
    }
  }

  private static void handle(
      ConsumerRecord<byte[], byte[]> message,
      DuplicateMessageDetector detector,
      JdbcTemplate jdbc) {
    String id = new String(message.headers().lastHeader("ce_id").value(), StandardCharsets.UTF_8);
    detector.doWithMessage(
        new SubscriberIdAndMessage(CONSUMER, new MessageImpl("", Map.of(Message.ID, id))),
        () -> jdbc.update(INSERT, message.key(), message.value()));
  }
}
