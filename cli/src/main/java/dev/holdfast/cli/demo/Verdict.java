package dev.holdfast.cli.demo;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What became of a run's orders, counted from the order table and from the records of them: the
 * messages in the topic, or the shipments in the other service's database.
 *
 * @param operations orders that clients asked for
 * @param lost orders without a record
 * @param phantom order ids with a record and no order
 * @param duplicate records beyond the first of their order id
 * @param reordered orders whose first record comes behind that of a later order of their customer
 */
record Verdict(int operations, int lost, int phantom, int duplicate, int reordered) {

  /**
   * A row of the order table.
   *
   * @param sequence rising in the order in which the customer's orders were committed
   */
  record Order(String id, String customer, long sequence) {}

  boolean isClean() {
    return lost == 0 && phantom == 0 && duplicate == 0 && reordered == 0;
  }

  /**
   * @param operations orders that clients asked for
   * @param recordedIds the order ids of the records; those of one customer in the order in which
   *     they came
   */
  static Verdict of(int operations, Collection<Order> orders, List<String> recordedIds) {
    Map<String, Order> byId = new HashMap<>();
    orders.forEach(order -> byId.put(order.id(), order));
    Set<String> seen = new HashSet<>();
    Map<String, Long> highest = new HashMap<>();
    int phantom = 0;
    int reordered = 0;
    for (String id : recordedIds) {
      if (!seen.add(id)) {
        continue;
      }
      Order order = byId.get(id);
      if (order == null) {
        phantom++;
      } else if (order.sequence() < highest.getOrDefault(order.customer(), Long.MIN_VALUE)) {
        reordered++;
      } else {
        highest.put(order.customer(), order.sequence());
      }
    }
    int lost = (int) byId.keySet().stream().filter(id -> !seen.contains(id)).count();
    return new Verdict(operations, lost, phantom, recordedIds.size() - seen.size(), reordered);
  }
}
