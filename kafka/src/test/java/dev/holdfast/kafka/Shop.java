package dev.holdfast.kafka;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * An application with a table of orders, each of which announces itself; and the count of what
 * became of them.
 *
 * <p>An order has a number, drawn under its customer's row lock, which is the order that the
 * customer's messages have to keep. Numbers are drawn outside of the database: one that a crash has
 * taken back is never given to another order, so that its message cannot pass for the other's.
 */
final class Shop implements AutoCloseable {
  private final HikariDataSource pool;
  private final Holdfast holdfast;
  private final String table;
  private final String topic;
  private final String bootstrapServers;
  private CommittedReader reader;
  private final AtomicInteger numbers = new AtomicInteger();

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
    this(pool, holdfast, schema, topic, TestServers.KAFKA.bootstrapServers());
  }

  Shop(
      HikariDataSource pool,
      Holdfast holdfast,
      String schema,
      String topic,
      String bootstrapServers) {
    this.pool = pool;
    this.holdfast = holdfast;
    this.table = schema + "_orders";
    this.topic = topic;
    this.bootstrapServers = bootstrapServers;
    this.reader = new CommittedReader(bootstrapServers);
    execute("create table if not exists " + table + " (n int primary key, customer text not null)");
    execute("create table if not exists " + table + "_customer (customer text primary key)");
  }

  /** An order and its announcement. */
  int order(String customer, boolean asynchronousCommit, boolean rollBack) {
    return order(customer, topic, asynchronousCommit, rollBack);
  }

  /**
   * @return the order's number, whatever became of it
   */
  int order(String customer, String toTopic, boolean asynchronousCommit, boolean rollBack) {
    int[] number = new int[1];
    try {
      holdfast.transact(
          tx -> {
            if (asynchronousCommit) {
              tx.update("set local synchronous_commit = off");
            }
            number[0] = place(tx.connection(), customer);
            tx.publish(announcement(customer, toTopic, number[0]));
            if (rollBack) {
              throw new RolledBack();
            }
          });
    } catch (RolledBack e) {
      // As intended.
    }
    return number[0];
  }

  /**
   * An order that forces nothing out, not even by the notification that wakes the relay: a crash
   * soon after takes it back.
   */
  int fleetingOrder(String customer, boolean rollBack) throws SQLException {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("set local synchronous_commit = off");
      int number = place(connection, customer);
      holdfast.publish(connection, announcement(customer, topic, number));
      if (rollBack) {
        connection.rollback();
      } else {
        connection.commit();
      }
      connection.setAutoCommit(true);
      return number;
    }
  }

  private static Message announcement(String customer, String toTopic, int number) {
    return Message.of(toTopic, customer, Integer.toString(number));
  }

  private int place(Connection connection, String customer) throws SQLException {
    try (PreparedStatement lock =
            connection.prepareStatement(
                "insert into "
                    + table
                    + "_customer values (?) on conflict (customer)"
                    + " do update set customer = excluded.customer");
        PreparedStatement insert =
            connection.prepareStatement("insert into " + table + " values (?, ?)")) {
      lock.setString(1, customer);
      lock.executeUpdate();
      int number = numbers.incrementAndGet();
      insert.setInt(1, number);
      insert.setString(2, customer);
      insert.executeUpdate();
      return number;
    }
  }

  /** The numbers of the orders that there are. */
  private Set<Integer> orders() {
    Set<Integer> orders = new HashSet<>();
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select n from " + table)) {
      while (rows.next()) {
        orders.add(rows.getInt(1));
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return orders;
  }

  /** Whether there is such an order. */
  boolean has(int number) {
    return orders().contains(number);
  }

  /** Compares the table with what a {@code read_committed} reader finds. */
  Count count(String... topics) {
    // The table first: what was ordered in between is then not taken for lost, but for a phantom,
    // and nobody counts while orders are placed.
    Set<Integer> orders = orders();
    Map<Integer, Integer> records = new HashMap<>();
    int reordered = 0;
    for (String each : topics) {
      Map<String, Integer> largest = new HashMap<>();
      for (ConsumerRecord<String, String> record : reader.read(each)) {
        int n = Integer.parseInt(record.value());
        boolean first = records.merge(n, 1, Integer::sum) == 1;
        if (first && n < largest.getOrDefault(record.key(), 0)) {
          reordered++;
        }
        largest.merge(record.key(), n, Math::max);
      }
    }
    int duplicate = records.values().stream().mapToInt(times -> times - 1).sum();
    int lost = (int) orders.stream().filter(order -> records.remove(order) == null).count();
    return new Count(lost, records.size(), duplicate, reordered);
  }

  /** Whether every order has a record, whatever else is wrong. */
  boolean allDelivered(String... topics) {
    return count(topics).lost() == 0;
  }

  /** Whether an order's announcement is there for a {@code read_committed} reader. */
  boolean delivered(int number) {
    String value = Integer.toString(number);
    return reader.read(topic).stream().anyMatch(record -> record.value().equals(value));
  }

  /** Forgets what was read: the broker no longer has it. */
  void readAnew() {
    reader.close();
    reader = new CommittedReader(bootstrapServers);
  }

  private void execute(String sql) {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    reader.close();
  }

  private static final class RolledBack extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }
}
