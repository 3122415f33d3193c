package dev.holdfast.cli.demo;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The payment provider's own tables: every charge, and what was answered under each key.
 * Thread-safe.
 *
 * <p>A key is answered once, by whoever inserts its row; others wait for that at the key, and read
 * it. A refund of a key that is not known inserts it as revoked, so that a charge that comes later
 * finds it answered. Without a key every request is a charge.
 */
final class Charges {

  /** What stands under a key. */
  enum Answer {
    CHARGED,
    /** Nothing was charged, and nothing will be. */
    DECLINED,
    /** Nothing is charged any more, or ever will be. */
    REVOKED
  }

  /**
   * @param charge its number; 0 unless it is charged
   */
  record Result(Answer answer, long charge) {}

  private static final String INSERT_KEY =
      "insert into demo_keys (key, answer) values (?, ?) on conflict (key) do nothing";

  private static final String KEY = "select answer, charge from demo_keys where key = ?";

  private static final String CHARGE =
      "insert into demo_charges (order_id, cents) values (?, ?) returning number";

  private static final String CHARGED = "update demo_keys set charge = ? where key = ?";

  private static final String REVOKE =
      "update demo_keys set answer = 'REVOKED', charge = 0 where key = ?";

  private static final String REFUND = "update demo_charges set refunded = true where number = ?";

  private static final String STANDING =
      "select order_id from demo_charges where not refunded order by number";

  private final DataSource dataSource;

  Charges(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  static void createTables(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          """
          create table demo_charges (
            number bigint generated always as identity primary key,
            order_id text not null,
            cents bigint not null,
            refunded boolean not null default false)
          """);
      statement.execute(
          """
          create table demo_keys (
            key text primary key,
            answer text not null check (answer in ('CHARGED', 'DECLINED', 'REVOKED')),
            charge bigint not null default 0)
          """);
    }
  }

  /** The orders of all that is charged and not refunded, as often as it is. */
  static List<String> standing(Connection connection) throws SQLException {
    List<String> orders = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(STANDING)) {
      while (row.next()) {
        orders.add(row.getString(1));
      }
    }
    return orders;
  }

  /**
   * Charges a card, or tells what was answered under the key before.
   *
   * @param key {@code null} to charge whatever was charged before
   * @param isInTime asked in front of the commit
   * @throws SQLException when nothing is charged, or that is not known
   */
  Result charge(
      @Nullable String key, String orderId, long cents, String card, BooleanSupplier isInTime)
      throws SQLException {
    Answer answer = card.equals(Purchase.DECLINED) ? Answer.DECLINED : Answer.CHARGED;
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      if (key != null && !insertKey(connection, key, answer)) {
        return find(connection, key).orElseThrow();
      }
      Result result = new Result(answer, 0);
      if (answer == Answer.CHARGED) {
        result = new Result(answer, insertCharge(connection, orderId, cents));
        if (key != null) {
          update(connection, CHARGED, result.charge(), key);
        }
      }
      if (!isInTime.getAsBoolean()) {
        throw new SQLTimeoutException("too late; nothing is charged");
      }
      connection.commit();
      return result;
    }
  }

  private static boolean insertKey(Connection connection, String key, Answer answer)
      throws SQLException {
    return update(connection, INSERT_KEY, key, answer.name()) > 0;
  }

  private static long insertCharge(Connection connection, String orderId, long cents)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(CHARGE)) {
      statement.setString(1, orderId);
      statement.setLong(2, cents);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  /** What stands under a key; empty when it was not seen yet. */
  Optional<Result> find(String key) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return find(connection, key);
    }
  }

  private static Optional<Result> find(Connection connection, String key) throws SQLException {
    return find(connection, KEY, key);
  }

  private static Optional<Result> find(Connection connection, String query, String key)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(query)) {
      statement.setString(1, key);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? Optional.of(new Result(Answer.valueOf(row.getString(1)), row.getLong(2)))
            : Optional.empty();
      }
    }
  }

  /** Nothing is charged under this key from now on; what was is given back, once. */
  void refund(String key) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      if (!insertKey(connection, key, Answer.REVOKED)) {
        Result before = find(connection, KEY + " for update", key).orElseThrow();
        if (before.answer() == Answer.CHARGED) {
          update(connection, REFUND, before.charge());
          update(connection, REVOKE, key);
        }
      }
      connection.commit();
    }
  }

  /** Gives back a charge that has no key. */
  void refund(long charge) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      update(connection, REFUND, charge);
    }
  }

  private static int update(Connection connection, String sql, Object... values)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int index = 0; index < values.length; index++) {
        statement.setObject(index + 1, values[index]);
      }
      return statement.executeUpdate();
    }
  }
}
