package dev.holdfast.cli.demo;

import dev.holdfast.cli.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All strategies' rows, as a table and as JSON. */
record DemoReport(long seed, List<StrategyResult> results) {

  /** What the columns say. */
  static final String MEANING =
      """
      operations  orders that clients asked for
      lost        orders without a message in Kafka, a shipment, or a ledger's entry
      phantom     messages in Kafka, shipments, or entries, without an order
      duplicate   messages, shipments, or entries, beyond an order's first
      reordered   orders that overtook an earlier one of the same customer
      kills       SIGKILLs of the services; each server they use gets one, too, and
            OpenSearch two
      per second  orders that came to an end, outages included
      p50, p99    from an order's commit until a read_committed consumer has its
                  message, outages included; 0 when it was there before the commit

      Of db-then-broker, broker-then-db and outbox the messages are counted, of
      two-databases-naive and two-phase the entries in the ledger, and of the
      others the shipments, in the database of the service that makes them; there
      p50 and p99 end with the commit of the shipment, or of the entry.

      Of checkout-naive and checkout the messages of confirmed orders are counted,
      and beside them what the provider has charged and what is taken of the stock:

      confirmed   orders that were paid, as the order service has it
      cancelled   orders that were not: declined, undeliverable, or not wanted
      open        orders that are neither
      unpaid      orders that are not cancelled, and nothing is charged for them
      unordered   orders for which something is charged, and which are not confirmed
      overcharged charges beyond an order's first
      stock       orders that have other units than they should have, and articles
                  of which other units are gone than orders have

      Of search-naive and search every order changes a product of a catalogue, or
      deletes it, and the documents of an index are compared with the products that
      are left, one by one: lost are those that are missing, phantom those that are
      extra, reordered those that are stale. There is no p50 and no p99.

      products    products that are left in the database
      deleted     products that are not
      missing     products that are not found
      extra       documents that are found, of products that are deleted
      stale       documents that say what a product was, and not what it is
      late        requests that came to OpenSearch when nobody waited for them any more
      """;

  boolean isAsPromised() {
    return results.stream().allMatch(StrategyResult::isAsPromised);
  }

  String table() {
    return Table.of(StrategyResult.header(), results.stream().map(StrategyResult::cells).toList())
        + checkouts()
        + indexes();
  }

  /** A table of its own, when there are any. */
  private String checkouts() {
    List<List<String>> rows = new ArrayList<>();
    for (StrategyResult result : results) {
      result
          .checkouts()
          .ifPresent(checkouts -> rows.add(StrategyResult.cells(result.kind(), checkouts)));
    }
    return rows.isEmpty() ? "" : "\n" + Table.of(StrategyResult.checkoutHeader(), rows);
  }

  private String indexes() {
    List<List<String>> rows = new ArrayList<>();
    for (StrategyResult result : results) {
      result.index().ifPresent(index -> rows.add(StrategyResult.cells(result.kind(), index)));
    }
    return rows.isEmpty() ? "" : "\n" + Table.of(StrategyResult.indexHeader(), rows);
  }

  Map<String, Object> json() {
    List<Object> strategies = new ArrayList<>();
    for (StrategyResult result : results) {
      Map<String, Object> latency = new LinkedHashMap<>();
      latency.put("p50", result.latency().p50());
      latency.put("p99", result.latency().p99());
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("name", result.kind().id());
      row.put("operations", result.verdict().operations());
      row.put("lost", result.verdict().lost());
      row.put("phantom", result.verdict().phantom());
      row.put("duplicate", result.verdict().duplicate());
      row.put("reordered", result.verdict().reordered());
      row.put("kills", result.kills());
      row.put("throughput_per_s", Math.round(result.throughput() * 10) / 10.0);
      row.put("latency_ms", latency);
      result.checkouts().ifPresent(checkouts -> row.put("checkouts", json(checkouts)));
      result.index().ifPresent(index -> row.put("index", json(index)));
      strategies.add(row);
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("seed", seed);
    all.put("strategies", strategies);
    return all;
  }

  private static Map<String, Object> json(CheckoutVerdict checkouts) {
    Map<String, Object> counts = new LinkedHashMap<>();
    counts.put("confirmed", checkouts.confirmed());
    counts.put("cancelled", checkouts.cancelled());
    counts.put("open", checkouts.open());
    counts.put("unpaid", checkouts.unpaid());
    counts.put("unordered", checkouts.unordered());
    counts.put("overcharged", checkouts.overcharged());
    counts.put("stock", checkouts.stock());
    return counts;
  }

  private static Map<String, Object> json(IndexVerdict index) {
    Map<String, Object> counts = new LinkedHashMap<>();
    counts.put("products", index.products());
    counts.put("deleted", index.deleted());
    counts.put("missing", index.missing());
    counts.put("extra", index.extra());
    counts.put("stale", index.stale());
    counts.put("late", index.late());
    return counts;
  }
}
