package dev.holdfast.examples.catalogue;

import dev.holdfast.eventlog.EventTypes;
import dev.holdfast.projection.Projection;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** What is offered, and for how much: a table that follows the events. */
final class PriceList {
  static final String TABLE =
      "create table if not exists price_list (product text primary key, name text not null, category text not null, cents bigint not null)";

  private PriceList() {}

  /** Each event once, with its place in the log, in one commit. */
  static Projection projection(EventTypes<Catalogue.Event> types) {
    return Projection.named("price-list", 1)
        .streams(Catalogue.STREAM)
        .on(
            types,
            Catalogue.Offered.class,
            (tx, offered, event) ->
                tx.update(
                    "insert into price_list values (?, ?, ?, ?)",
                    event.stream(),
                    offered.name(),
                    offered.category(),
                    offered.cents()))
        .on(
            types,
            Catalogue.Repriced.class,
            (tx, repriced, event) ->
                tx.update(
                    "update price_list set cents = ? where product = ?",
                    repriced.cents(),
                    event.stream()))
        .on(
            types,
            Catalogue.Withdrawn.class,
            (tx, withdrawn, event) ->
                tx.update("delete from price_list where product = ?", event.stream()))
        .build();
  }

  /** The cheapest of a category, as {@code name: cents}. */
  static List<String> cheapest(DataSource database, String category, int limit)
      throws SQLException {
    try (Connection connection = database.getConnection();
        PreparedStatement select =
            connection.prepareStatement(
                "select name || ': ' || cents from price_list where category = ? order by cents, name limit ?")) {
      select.setString(1, category);
      select.setInt(2, limit);
      List<String> found = new ArrayList<>();
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          found.add(rows.getString(1));
        }
      }
      return found;
    }
  }
}
