package dev.holdfast.cli.demo;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The order service's tables where orders change a catalogue: the products that are on sale, the
 * changes that were made, and a count of each product's changes, which a delete does not end.
 */
final class Catalogue {
  private static final String MADE = "select 1 from demo_changes where id = ?";

  /** Locks the product until commit, so that revisions rise in the order of commits. */
  private static final String NEXT =
      """
      insert into demo_revisions (product, revision) values (?, 1)
      on conflict (product) do update set revision = demo_revisions.revision + 1
      returning revision
      """;

  private static final String RECORD =
      """
      insert into demo_changes (id, product, revision) values (?, ?, ?) on conflict (id) do nothing
      """;

  private static final String PUT =
      """
      insert into demo_products (id, price, editor, revision) values (?, ?, ?, ?)
      on conflict (id) do update
        set price = excluded.price, editor = excluded.editor, revision = excluded.revision
      """;

  private static final String DELETE = "delete from demo_products where id = ?";

  private static final String ALL = "select id, price, editor, revision from demo_products";

  private static final String DELETED =
      """
      select count(*) from demo_revisions
      where not exists (select from demo_products where id = product)
      """;

  private Catalogue() {}

  /**
   * A product as it is on sale.
   *
   * @param revision the number of its change, from 1; a delete has one, too
   */
  record Product(String id, long price, String editor, long revision) {
    /** As it is in the index. */
    ObjectNode document() {
      return JsonNodeFactory.instance
          .objectNode()
          .put("product", id)
          .put("price", price)
          .put("editor", editor)
          .put("revision", revision);
    }
  }

  /**
   * What a change has led to.
   *
   * @param revision the number of the change
   * @param product {@code null} when it is on sale no more
   */
  record State(String id, long revision, @Nullable Product product) {}

  static void createTables(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          """
          create table demo_products (
            id text primary key,
            price bigint not null,
            editor text not null,
            revision bigint not null)
          """);
      statement.execute(
          """
          create table demo_changes (
            id text primary key,
            product text not null,
            revision bigint not null,
            unique (product, revision))
          """);
      statement.execute(
          "create table demo_revisions (product text primary key, revision bigint not null)");
    }
  }

  static boolean isMade(Connection connection, String id) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(MADE)) {
      statement.setString(1, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next();
      }
    }
  }

  /**
   * Makes the change of an order.
   *
   * @return what it has led to; empty when it is made already, and the transaction is to be rolled
   *     back
   */
  static Optional<State> make(Connection connection, String id, String editor) throws SQLException {
    Change change = Change.of(id);
    long revision = next(connection, change.product());
    try (PreparedStatement statement = connection.prepareStatement(RECORD)) {
      statement.setString(1, id);
      statement.setString(2, change.product());
      statement.setLong(3, revision);
      if (statement.executeUpdate() == 0) {
        return Optional.empty();
      }
    }
    if (change.isDelete()) {
      try (PreparedStatement statement = connection.prepareStatement(DELETE)) {
        statement.setString(1, change.product());
        statement.executeUpdate();
      }
      return Optional.of(new State(change.product(), revision, null));
    }
    Product product = new Product(change.product(), change.price(), editor, revision);
    put(connection, product);
    return Optional.of(new State(change.product(), revision, product));
  }

  private static long next(Connection connection, String product) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(NEXT)) {
      statement.setString(1, product);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  private static void put(Connection connection, Product product) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(PUT)) {
      statement.setString(1, product.id());
      statement.setLong(2, product.price());
      statement.setString(3, product.editor());
      statement.setLong(4, product.revision());
      statement.executeUpdate();
    }
  }

  /** The products that are on sale, by their ids. */
  static Map<String, Product> all(Connection connection) throws SQLException {
    Map<String, Product> products = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(ALL)) {
      while (row.next()) {
        Product product =
            new Product(row.getString(1), row.getLong(2), row.getString(3), row.getLong(4));
        products.put(product.id(), product);
      }
    }
    return products;
  }

  /** How many products were on sale, or taken off it, and are not on sale. */
  static int deleted(Connection connection) throws SQLException {
    return count(connection, DELETED);
  }

  /** How many changes were made. */
  static int changes(Connection connection) throws SQLException {
    return count(connection, "select count(*) from demo_changes");
  }

  private static int count(Connection connection, String query) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getInt(1);
    }
  }
}
