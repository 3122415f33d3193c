package dev.holdfast.cli.demo;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What became of a run's checkouts beside their messages, counted order by order from the order
 * table, the provider's charges, and the stock.
 *
 * @param confirmed orders that are confirmed
 * @param cancelled orders that are cancelled
 * @param open orders that are neither
 * @param unpaid orders that are not cancelled, and for which nothing is charged
 * @param unordered order ids for which something is charged, and no order is confirmed
 * @param overcharged charges beyond the first of their order id
 * @param stock orders that have other units than are due to them, and articles of which other units
 *     are missing than orders have
 */
record CheckoutVerdict(
    int confirmed, int cancelled, int open, int unpaid, int unordered, int overcharged, int stock) {

  /** Units of an article that an order holds, or has. */
  record Taken(String orderId, String article, long units) {}

  /**
   * What the boundaries have.
   *
   * @param charged order ids, as often as something is charged for them, and not refunded
   * @param takenOfArticles units that are missing of each article
   */
  record Books(
      Map<String, Checkouts.State> orders,
      List<String> charged,
      List<Taken> takenByOrders,
      Map<String, Long> takenOfArticles) {}

  boolean isClean() {
    return open == 0 && unpaid == 0 && unordered == 0 && overcharged == 0 && stock == 0;
  }

  static CheckoutVerdict of(Books books) {
    Map<String, Checkouts.State> orders = books.orders();
    Set<String> charged = new HashSet<>(books.charged());
    int unpaid = 0;
    for (Map.Entry<String, Checkouts.State> order : orders.entrySet()) {
      if (order.getValue() != Checkouts.State.CANCELLED && !charged.contains(order.getKey())) {
        unpaid++;
      }
    }
    int unordered =
        (int) charged.stream().filter(id -> orders.get(id) != Checkouts.State.CONFIRMED).count();
    return new CheckoutVerdict(
        count(orders, Checkouts.State.CONFIRMED),
        count(orders, Checkouts.State.CANCELLED),
        count(orders, Checkouts.State.OPEN),
        unpaid,
        unordered,
        books.charged().size() - charged.size(),
        wronglyTaken(books) + imbalances(books));
  }

  private static int count(Map<String, Checkouts.State> orders, Checkouts.State state) {
    return (int) orders.values().stream().filter(state::equals).count();
  }

  private static int wronglyTaken(Books books) {
    Map<String, Map<String, Long>> taken = new HashMap<>();
    for (Taken each : books.takenByOrders()) {
      taken
          .computeIfAbsent(each.orderId(), id -> new HashMap<>())
          .merge(each.article(), each.units(), Long::sum);
    }
    Set<String> ids = new HashSet<>(books.orders().keySet());
    ids.addAll(taken.keySet());
    return (int)
        ids.stream()
            .filter(id -> !due(id, books.orders().get(id)).equals(taken.getOrDefault(id, Map.of())))
            .count();
  }

  private static Map<String, Long> due(String id, Checkouts.@Nullable State state) {
    Purchase purchase = Purchase.of(id);
    return state == Checkouts.State.CONFIRMED
        ? Map.of(purchase.article(), (long) purchase.units())
        : Map.of();
  }

  private static int imbalances(Books books) {
    Map<String, Long> missing = new HashMap<>(books.takenOfArticles());
    books.takenByOrders().forEach(each -> missing.merge(each.article(), -each.units(), Long::sum));
    return (int) missing.values().stream().filter(units -> units != 0).count();
  }
}
