package dev.holdfast.cli.demo;

import com.zaxxer.hikari.HikariDataSource;
import org.jspecify.annotations.Nullable;

/** Counts shipments, in the database of the service that makes them. */
final class ShipmentReader extends RecordReader {
  private final @Nullable TopicReader topic;

  /**
   * @param dataSource closed with this
   * @param topic closed with this; for strategies that may be done with a record that they did not
   *     ship, and {@code null} for those that have to ship every order
   */
  ShipmentReader(HikariDataSource dataSource, @Nullable TopicReader topic) {
    super(dataSource, Shipments.TABLES);
    this.topic = topic;
  }

  @Override
  public boolean isComplete(int orders) {
    return topic == null
        ? distinct() >= orders
        : topic.isComplete(orders) && topic.isAcknowledgedBy(StrategyKind.CONSUMER);
  }

  @Override
  public void close() {
    super.close();
    if (topic != null) {
      topic.close();
    }
  }
}
