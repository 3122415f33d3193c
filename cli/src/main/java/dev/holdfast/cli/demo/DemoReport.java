package dev.holdfast.cli.demo;

import dev.holdfast.cli.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All strategies' rows, as a table and as JSON. */
record DemoReport(long seed, List<StrategyResult> results) {

  static final String MEANING =
      "Of the orders committed to PostgreSQL: lost ones have no message in Kafka; phantom messages"
          + " have no order; duplicates are messages beyond an order's first; reordered ones"
          + " overtook an earlier order of the same customer; p50 and p99 run from the commit to"
          + " the consumer, outages included.";

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
