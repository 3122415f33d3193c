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
import java.util.Optional;

/** Reads the topic for the messages of checkouts, and the provider's own database for charges. */
final class CheckoutReader implements Arrivals {
  private final TopicReader topic;
  private final HikariDataSource payments;
  private final StockTables stock;

  /**
   * @param topic closed with this
   * @param payments closed with this
   * @param stock in the order service's database
   */
  CheckoutReader(TopicReader topic, HikariDataSource payments, StockTables stock) {
    this.topic = topic;
    this.payments = payments;
    this.stock = stock;
  }

  /** Messages, and charges that stand: a charge that comes late is something that comes. */
  @Override
  public int seen() {
    try {
      return topic.seen() + charged().size();
    } catch (SQLException e) {
      throw new HoldfastException(
          "The payment provider's database cannot be read, so nothing was counted: "
              + e.getMessage(),
          e);
    }
  }

  private List<String> charged() throws SQLException {
    try (Connection connection = payments.getConnection()) {
      return Charges.standing(connection);
    }
  }

  @Override
  public boolean isComplete(int orders) {
    return topic.isComplete(orders);
  }

  @Override
  public List<String> orderIds() {
    return topic.orderIds();
  }

  @Override
  public Map<String, Long> firstSeenMicros() {
    return topic.firstSeenMicros();
  }

  @Override
  public Optional<CheckoutVerdict> checkouts(Connection orders) throws SQLException {
    return Optional.of(
        CheckoutVerdict.of(
            new CheckoutVerdict.Books(
                Checkouts.states(orders),
                charged(),
                takenByOrders(orders),
                takenOfArticles(orders))));
  }

  @Override
  public Optional<IndexVerdict> index(Connection orders) {
    return Optional.empty();
  }

  private List<CheckoutVerdict.Taken> takenByOrders(Connection orders) throws SQLException {
    List<CheckoutVerdict.Taken> taken = new ArrayList<>();
    try (Statement statement = orders.createStatement();
        ResultSet row = statement.executeQuery(stock.takenByOrders())) {
      while (row.next()) {
        taken.add(new CheckoutVerdict.Taken(row.getString(1), row.getString(2), row.getLong(3)));
      }
    }
    return taken;
  }

  private Map<String, Long> takenOfArticles(Connection orders) throws SQLException {
    Map<String, Long> taken = new HashMap<>();
    try (Statement statement = orders.createStatement();
        ResultSet row = statement.executeQuery(stock.takenOfArticles())) {
      while (row.next()) {
        taken.put(row.getString(1), row.getLong(2));
      }
    }
    return taken;
  }

  @Override
  public void close() {
    payments.close();
    topic.close();
  }
}
