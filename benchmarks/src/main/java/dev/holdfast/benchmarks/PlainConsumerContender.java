package dev.holdfast.benchmarks;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * The usual loop: poll, write the rows, commit them, commit the offsets. With ids, a row for each
 * message in a table of what was received, as one writes it by hand; Eventuate Tram's is {@link
 * EventuateContender}.
 */
final class PlainConsumerContender implements InboxContender {
  private static final String RECEIVED =
      "insert into bench_received (id) values (?) on conflict do nothing";

  /** How it writes the rows. */
  enum Rows {
    EACH,
    BATCH,
    RECEIVED
  }

  private final Rows rows;

  PlainConsumerContender(Rows rows) {
    this.rows = rows;
  }

  @Override
  public String name() {
    return switch (rows) {
      case EACH -> "plain-consumer";
      case BATCH -> "plain-batch";
      case RECEIVED -> "received-table";
    };
  }

  @Override
  public Set<InboxScenario> scenarios() {
    return switch (rows) {
      case EACH -> EnumSet.allOf(InboxScenario.class);
      case BATCH -> EnumSet.of(InboxScenario.OFFSETS);
      case RECEIVED -> EnumSet.of(InboxScenario.MESSAGE_ID);
    };
  }

  @Override
  public String guarantee(InboxScenario scenario) {
    return switch (rows) {
      case EACH, BATCH -> "at least once: what is committed before its offset comes again";
      case RECEIVED ->
          "each id once, as long as nobody deletes it; a bad record stops its partition";
    };
  }

  @Override
  public AutoCloseable start(InboxScenario scenario, Venue venue) {
    if (rows == Rows.RECEIVED) {
      Db.execute(
          venue.pool(),
          "drop table if exists bench_received",
          "create table bench_received (id text primary key, received_at timestamptz default now())");
    }
    return Background.start(name(), running -> read(venue, running));
  }

  private void read(Venue venue, Background.Running running) throws SQLException {
    Map<String, Object> config = new HashMap<>(BestSettings.consumer(venue.bootstrapServers()));
    config.put("group.id", name() + "-" + venue.topic());
    config.put("enable.auto.commit", false);
    config.put("auto.offset.reset", "earliest");
    config.put("isolation.level", "read_committed");
    try (KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        Connection connection = venue.pool().getConnection()) {
      connection.setAutoCommit(false);
      consumer.subscribe(List.of(venue.topic()));
      while (running.isWanted()) {
        ConsumerRecords<byte[], byte[]> polled = consumer.poll(Duration.ofMillis(100));
        if (!polled.isEmpty()) {
          write(connection, polled);
          connection.commit();
          consumer.commitSync();
        }
      }
      connection.setAutoCommit(true);
    }
  }

  private void write(Connection connection, ConsumerRecords<byte[], byte[]> polled)
      throws SQLException {
    switch (rows) {
      case EACH -> writeEach(connection, polled, false);
      case BATCH -> InboxContender.insertAll(connection, polled);
      case RECEIVED -> writeEach(connection, polled, true);
    }
  }

  private static void writeEach(
      Connection connection, ConsumerRecords<byte[], byte[]> polled, boolean ids)
      throws SQLException {
    try (PreparedStatement insert = connection.prepareStatement(INSERT);
        PreparedStatement received = connection.prepareStatement(RECEIVED)) {
      for (ConsumerRecord<byte[], byte[]> message : polled) {
        if (!ids || isFirst(received, message)) {
          InboxContender.bind(insert, message);
          insert.executeUpdate();
        }
      }
    }
  }

  private static boolean isFirst(PreparedStatement received, ConsumerRecord<byte[], byte[]> message)
      throws SQLException {
    received.setString(
        1, new String(message.headers().lastHeader("ce_id").value(), StandardCharsets.UTF_8));
    return received.executeUpdate() > 0;
  }
}
