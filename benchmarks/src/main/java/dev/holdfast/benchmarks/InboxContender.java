package dev.holdfast.benchmarks;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** A way to bring messages from Kafka into a database. */
interface InboxContender {
  String INSERT = "insert into bench_effect (key, payload) values (?, ?)";

  String name();

  Set<InboxScenario> scenarios();

  /** What it promises of the effects. */
  String guarantee(InboxScenario scenario);

  /** Begins to read the venue's topic from its start, until what this returns is closed. */
  AutoCloseable start(InboxScenario scenario, Venue venue);

  /** The effect of a message, the same for all. */
  static void insert(Connection connection, ConsumerRecord<byte[], byte[]> message)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
      bind(statement, message);
      statement.executeUpdate();
    }
  }

  /** The same for many, as one batch of JDBC's. */
  static void insertAll(Connection connection, Iterable<ConsumerRecord<byte[], byte[]>> messages)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
      for (ConsumerRecord<byte[], byte[]> message : messages) {
        bind(statement, message);
        statement.addBatch();
      }
      statement.executeBatch();
    }
  }

  static void bind(PreparedStatement statement, ConsumerRecord<byte[], byte[]> message)
      throws SQLException {
    statement.setBytes(1, message.key());
    statement.setBytes(2, message.value());
  }
}
