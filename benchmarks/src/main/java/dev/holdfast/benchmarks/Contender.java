package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;

/** Something that brings a backlog of messages from PostgreSQL to Kafka. */
interface Contender {
  String name();

  /** What its figure is worth, for the table. */
  String guarantee();

  /** Creates its tables, empty, and the same backlog as everyone's. */
  void fill(HikariDataSource dataSource, String topic, int messages, int bytes);

  /** Delivers all of it and returns when the target has acknowledged the last. */
  void drain(
      HikariDataSource dataSource, String bootstrapServers, String topic, int messages, int bytes);
}
