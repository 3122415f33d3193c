package dev.holdfast.cli.demo;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.HoldfastException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Counts shipments, in the database of the service that makes them. */
final class ShipmentReader implements Arrivals {
  private static final String DISTINCT = "select count(distinct order_id) from demo_shipments";
  private static final String COUNT = "select count(*) from demo_shipments";

  private static final String ALL = "select order_id from demo_shipments order by number";

  private static final String FIRST =
      """
      select order_id,
        min((extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000000)::bigint)
      from demo_shipments group by order_id
      """;

  /** Customers whose count is not that of their parcels: half of a transaction. */
  private static final String TORN =
      """
      select count(*)
      from (select customer, count(*) as parcels from demo_shipments group by customer) shipped
        full join demo_customers on name = customer
      where shipments is distinct from parcels
      """;

  private final HikariDataSource dataSource;
  private final @Nullable TopicReader topic;

  /**
   * @param dataSource closed with this
   * @param topic closed with this; for strategies that may be done with a record that they did not
   *     ship, and {@code null} for those that have to ship every order
   */
  ShipmentReader(HikariDataSource dataSource, @Nullable TopicReader topic) {
    this.dataSource = dataSource;
    this.topic = topic;
  }

  @Override
  public int seen() {
    return number(COUNT);
  }

  @Override
  public boolean isComplete(int orders) {
    return topic == null
        ? number(DISTINCT) >= orders
        : topic.isComplete(orders) && topic.isAcknowledgedBy(StrategyKind.CONSUMER);
  }

  @Override
  public List<String> orderIds() throws SQLException {
    if (number(TORN) > 0) {
      throw new HoldfastException(
          "The shipping service's database has customers whose count is not that of their shipments,"
              + " though both are written in one transaction. Run again with --keep, and report what it left.");
    }
    List<String> ids = new ArrayList<>();
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(ALL)) {
      while (row.next()) {
        ids.add(row.getString(1));
      }
    }
    return ids;
  }

  @Override
  public Map<String, Long> firstSeenMicros() throws SQLException {
    Map<String, Long> first = new HashMap<>();
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(FIRST)) {
      while (row.next()) {
        first.put(row.getString(1), row.getLong(2));
      }
    }
    return first;
  }

  private int number(String query) {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getInt(1);
    } catch (SQLException e) {
      throw new HoldfastException(
          "The shipping service's database cannot be read, so nothing was counted: "
              + e.getMessage(),
          e);
    }
  }

  @Override
  public void close() {
    dataSource.close();
    if (topic != null) {
      topic.close();
    }
  }
}
