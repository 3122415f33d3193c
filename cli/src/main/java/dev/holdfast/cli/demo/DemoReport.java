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
      kills       SIGKILLs of the services; each server they use gets one, too
      per second  orders that came to an end, outages included
      p50, p99    from an order's commit until a read_committed consumer has its
                  message, outages included; 0 when it was there before the commit

      Of db-then-broker, broker-then-db and outbox the messages are counted, of
      two-databases-naive and two-phase the entries in the ledger, and of the
      others the shipments, in the database of the service that makes them; there
      p50 and p99 end with the commit of the shipment, or of the entry.
      """;

  boolean isAsPromised() {
    return results.stream().allMatch(StrategyResult::isAsPromised);
  }

  String table() {
    return Table.of(StrategyResult.header(), results.stream().map(StrategyResult::cells).toList());
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
      strategies.add(row);
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("seed", seed);
    all.put("strategies", strategies);
    return all;
  }
}
