package dev.holdfast.crashtest;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.ExecutionException;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Saves an order and announces it, in the ways in which that is done wrong. */
record OrderService(
    DataSource dataSource, Producer<String, String> producer, String orders, String topic) {

  void databaseThenBroker(String key) throws Exception {
    save(key);
    announce(key);
  }

  void brokerThenDatabase(String key) throws Exception {
    announce(key);
    save(key);
  }

  /** The retry is harmless, and makes up for what is missing, if it comes. */
  void databaseThenBrokerIdempotently(String key) throws Exception {
    try (Connection connection = dataSource.getConnection()) {
      TwoTables.insertOnce(connection, orders, key);
    }
    announce(key);
  }

  void withoutWaiting(String key) throws SQLException {
    save(key);
    producer.send(new ProducerRecord<>(topic, key, "placed"));
  }

  private void save(String key) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      TwoTables.insert(connection, orders, key);
    }
  }

  private void announce(String key) throws InterruptedException, ExecutionException {
    producer.send(new ProducerRecord<>(topic, key, "placed")).get();
  }
}
