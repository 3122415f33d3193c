package dev.holdfast.kafka;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * An application with a table of orders, each of which announces itself; and the count of what
 * became of them. An order has a number within its customer, counted under the customer's row lock,
 * which is the order that its messages have to keep.
 */
final class Shop {
  private final HikariDataSource pool;
  private final Holdfast holdfast;
  private final String table;
  private final String topic;

  /**
   * @param lost orders without a record
   * @param phantom records without an order
   * @param duplicate further records of an order
   * @param reordered records behind one of the same customer with a larger number
   */
  record Count(int lost, int phantom, int duplicate, int reordered) {
    static final Count CLEAN = new Count(0, 0, 0, 0);
  }

  Shop(HikariDataSource pool, Holdfast holdfast, String schema, String topic) {
    this.pool = pool;
    this.holdfast = holdfast;
    this.table = schema + "_orders";
    this.topic = topic;
    execute(
        "create table if not exists "
            + table
            + " (customer text, n int, primary key (customer, n))");
    execute(
        "create table if not exists "
            + table
            + "_last (customer text primary key, n int not null)");
  }

  /** An order and its announcement. */
  void order(String customer, boolean asynchronousCommit, boolean rollBack) {
    order(customer, topic, asynchronousCommit, rollBack);
  }

  void order(String customer, String toTopic, boolean asynchronousCommit, boolean rollBack) {
    try {
      holdfast.transact(
          tx -> {
            if (asynchronousCommit) {
              tx.update("set local synchronous_commit = off");
            }
            int n = next(tx.connection(), customer);
            tx.update("insert into " + table + " values (?, ?)", customer, n);
            tx.publish(Message.of(toTopic, customer, Integer.toString(n)));
            if (rollBack) {
              throw new RolledBack();
            }
          });
    } catch (RolledBack e) {
      // As intended.
    }
  }

  private int next(Connection connection, String customer) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "insert into "
                + table
                + "_last as l values (?, 1) on conflict (customer) do update set n = l.n + 1"
                + " returning n")) {
      statement.setString(1, customer);
      try (ResultSet rows = statement.executeQuery()) {
        rows.next();
        return rows.getInt(1);
      }
    }
  }

  /** The orders there are, as {@code customer/number}. */
  List<String> orders() {
    List<String> orders = new ArrayList<>();
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select customer, n from " + table)) {
      while (rows.next()) {
        orders.add(rows.getString(1) + "/" + rows.getInt(2));
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return orders;
  }

  /** Compares the table with what a {@code read_committed} reader finds. */
  Count count(String... topics) {
    Map<String, Integer> records = new HashMap<>();
    int reordered = 0;
    for (String each : topics) {
      Map<String, Integer> largest = new HashMap<>();
      for (ConsumerRecord<String, String> record : TestServers.readCommitted(each)) {
        int n = Integer.parseInt(record.value());
        boolean first = records.merge(record.key() + "/" + n, 1, Integer::sum) == 1;
        if (first && n < largest.getOrDefault(record.key(), 0)) {
          reordered++;
        }
        largest.merge(record.key(), n, Math::max);
      }
    }
    int lost = 0;
    int duplicate = records.values().stream().mapToInt(times -> times - 1).sum();
    for (String order : orders()) {
      if (records.remove(order) == null) {
        lost++;
      }
    }
    return new Count(lost, records.size(), duplicate, reordered);
  }

  /** Whether every order has a record, whatever else is wrong. */
  boolean allDelivered(String... topics) {
    return count(topics).lost() == 0;
  }

  private void execute(String sql) {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static final class RolledBack extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }
}
