package dev.holdfast.cli.demo;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;

/** The usual tables of a stock: how many units of an article are left, and what orders hold. */
final class PlainStock {
  /** More than the largest demonstration orders. */
  static final long CAPACITY = 10_000_000;

  static final StockTables TABLES =
      new StockTables(
          "select order_id, article, units from demo_holds",
          "select article, " + CAPACITY + " - units from demo_stock");

  private static final String TAKE = "update demo_stock set units = units - ? where article = ?";

  private static final String HOLD =
      "insert into demo_holds (order_id, article, units) values (?, ?, ?)";

  private static final String GIVE_BACK =
      """
      with given as (delete from demo_holds where order_id = ? returning article, units)
      update demo_stock set units = demo_stock.units + given.units
      from given where demo_stock.article = given.article
      """;

  private PlainStock() {}

  static void createTables(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "create table demo_stock (article text primary key, units bigint not null)");
      statement.execute(
          """
          create table demo_holds (
            order_id text primary key,
            article text not null,
            units bigint not null)
          """);
    }
    try (PreparedStatement insert =
        connection.prepareStatement("insert into demo_stock (article, units) values (?, ?)")) {
      for (int article = 0; article < Purchase.ARTICLES; article++) {
        insert.setString(1, Purchase.article(article));
        insert.setLong(2, CAPACITY);
        insert.executeUpdate();
      }
    }
  }

  static void hold(Connection connection, String orderId, Purchase purchase) throws SQLException {
    try (PreparedStatement take = connection.prepareStatement(TAKE)) {
      take.setLong(1, purchase.units());
      take.setString(2, purchase.article());
      take.executeUpdate();
    }
    try (PreparedStatement hold = connection.prepareStatement(HOLD)) {
      hold.setString(1, orderId);
      hold.setString(2, purchase.article());
      hold.setLong(3, purchase.units());
      hold.executeUpdate();
    }
  }

  static void giveBack(Connection connection, String orderId) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(GIVE_BACK)) {
      statement.setString(1, orderId);
      statement.executeUpdate();
    }
  }
}
