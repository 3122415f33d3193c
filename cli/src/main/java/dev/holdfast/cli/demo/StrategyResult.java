package dev.holdfast.cli.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One strategy's row.
 *
 * @param checkouts what became of charges and stock; empty where there are none
 * @param index how the index compares with the catalogue; empty where there is none
 * @param kills how often the services were killed
 * @param throughput requests ended per second, outages included
 * @param settled whether everything that is due had come when it was counted
 */
record StrategyResult(
    StrategyKind kind,
    Verdict verdict,
    Optional<CheckoutVerdict> checkouts,
    Optional<IndexVerdict> index,
    int kills,
    double throughput,
    Latency latency,
    boolean settled) {

  /** Whether it kept what it promises. */
  boolean isAsPromised() {
    return !kind.promisesZeros()
        || (settled && verdict.isClean() && checkouts.map(CheckoutVerdict::isClean).orElse(true));
  }

  static List<String> header() {
    return List.of(
        "strategy",
        "operations",
        "lost",
        "phantom",
        "duplicate",
        "reordered",
        "kills",
        "per second",
        "p50 ms",
        "p99 ms");
  }

  List<String> cells() {
    List<String> cells = new ArrayList<>();
    cells.add(kind.id());
    cells.add(Integer.toString(verdict.operations()));
    cells.add(Integer.toString(verdict.lost()));
    cells.add(Integer.toString(verdict.phantom()));
    cells.add(Integer.toString(verdict.duplicate()));
    cells.add(Integer.toString(verdict.reordered()));
    cells.add(Integer.toString(kills));
    cells.add(Long.toString(Math.round(throughput)));
    cells.add(latency.p50() == null ? "-" : latency.p50().toString());
    cells.add(latency.p99() == null ? "-" : latency.p99().toString());
    return cells;
  }

  static List<String> checkoutHeader() {
    return List.of(
        "strategy",
        "confirmed",
        "cancelled",
        "open",
        "unpaid",
        "unordered",
        "overcharged",
        "stock");
  }

  static List<String> cells(StrategyKind kind, CheckoutVerdict checkouts) {
    List<String> cells = new ArrayList<>();
    cells.add(kind.id());
    cells.add(Integer.toString(checkouts.confirmed()));
    cells.add(Integer.toString(checkouts.cancelled()));
    cells.add(Integer.toString(checkouts.open()));
    cells.add(Integer.toString(checkouts.unpaid()));
    cells.add(Integer.toString(checkouts.unordered()));
    cells.add(Integer.toString(checkouts.overcharged()));
    cells.add(Integer.toString(checkouts.stock()));
    return cells;
  }

  static List<String> indexHeader() {
    return List.of("strategy", "products", "deleted", "missing", "extra", "stale", "late");
  }

  static List<String> cells(StrategyKind kind, IndexVerdict index) {
    List<String> cells = new ArrayList<>();
    cells.add(kind.id());
    cells.add(Integer.toString(index.products()));
    cells.add(Integer.toString(index.deleted()));
    cells.add(Integer.toString(index.missing()));
    cells.add(Integer.toString(index.extra()));
    cells.add(Integer.toString(index.stale()));
    cells.add(Integer.toString(index.late()));
    return cells;
  }
}
