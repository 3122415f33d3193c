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

/** Counts what has come of orders in a database. */
abstract class RecordReader implements Arrivals {
  private static final String ALL = "select order_id from %s order by number";

  private static final String FIRST =
      """
      select order_id,
        min((extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000000)::bigint)
      from %s group by order_id
      """;

  /** Customers whose total is not that of their rows: half of a transaction. */
  private static final String TORN =
      """
      select count(*)
      from (select customer, %s as recorded from %s group by customer) records
        full join %s totals on name = customer
      where %s is distinct from recorded
      """;

  private final HikariDataSource dataSource;
  private final RecordTables tables;

  /**
   * @param dataSource closed with this
   */
  RecordReader(HikariDataSource dataSource, RecordTables tables) {
    this.dataSource = dataSource;
    this.tables = tables;
  }

  @Override
  public int seen() {
    return number("select count(*) from " + tables.rows());
  }

  /** How many orders have a row. */
  final int distinct() {
    return number("select count(distinct order_id) from " + tables.rows());
  }

  @Override
  public List<String> orderIds() throws SQLException {
    String torn =
        TORN.formatted(tables.sum(), tables.rows(), tables.totals(), "totals." + tables.total());
    if (number(torn) > 0) {
      throw new HoldfastException(
          "The database of the %s has customers whose total is not that of their rows, though both are written in one transaction. Run again with --keep, and report what it left."
              .formatted(tables.where()));
    }
    List<String> ids = new ArrayList<>();
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(ALL.formatted(tables.rows()))) {
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
        ResultSet row = statement.executeQuery(FIRST.formatted(tables.rows()))) {
      while (row.next()) {
        first.put(row.getString(1), row.getLong(2));
      }
    }
    return first;
  }

  /** The one number that a query returns. */
  final int number(String query) {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getInt(1);
    } catch (SQLException e) {
      throw new HoldfastException(
          "The database of the %s cannot be read, so nothing was counted: %s"
              .formatted(tables.where(), e.getMessage()),
          e);
    }
  }

  @Override
  public Optional<CheckoutVerdict> checkouts(Connection orders) {
    return Optional.empty();
  }

  @Override
  public Optional<IndexVerdict> index(Connection orders) {
    return Optional.empty();
  }

  @Override
  public void close() {
    dataSource.close();
  }
}
