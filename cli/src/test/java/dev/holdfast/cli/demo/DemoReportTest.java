package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.Json;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class DemoReportTest {
  private static StrategyResult result(StrategyKind kind, Verdict verdict, boolean settled) {
    return new StrategyResult(
        kind,
        verdict,
        Optional.empty(),
        Optional.empty(),
        8,
        512.34,
        new Latency(5.1, 40.0),
        settled);
  }

  @Test
  void jsonHasTheAgreedForm() throws Exception {
    DemoReport report =
        new DemoReport(
            7, List.of(result(StrategyKind.DB_THEN_BROKER, new Verdict(10, 1, 2, 3, 4), true)));

    assertThat(new ObjectMapper().readTree(Json.text(report.json())))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"seed":7,"strategies":[{"name":"db-then-broker","operations":10,"lost":1,
                    "phantom":2,"duplicate":3,"reordered":4,"kills":8,"throughput_per_s":512.3,
                    "latency_ms":{"p50":5.1,"p99":40.0}}]}
                    """));
  }

  private static StrategyResult checkout(CheckoutVerdict checkouts) {
    return new StrategyResult(
        StrategyKind.CHECKOUT,
        new Verdict(20, 0, 0, 0, 0),
        Optional.of(checkouts),
        Optional.empty(),
        3,
        20.0,
        new Latency(5.1, 40.0),
        true);
  }

  @Test
  void whatBecameOfChargesAndStockIsToldBesides() throws Exception {
    DemoReport report =
        new DemoReport(
            1,
            List.of(
                result(StrategyKind.OUTBOX, new Verdict(20, 0, 0, 0, 0), true),
                checkout(new CheckoutVerdict(9, 8, 1, 2, 3, 4, 5))));

    assertThat(new ObjectMapper().readTree(Json.text(report.json())).at("/strategies/1/checkouts"))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"confirmed":9,"cancelled":8,"open":1,"unpaid":2,"unordered":3,
                    "overcharged":4,"stock":5}
                    """));
    assertThat(report.table())
        .endsWith(
            """

            strategy  confirmed  cancelled  open  unpaid  unordered  overcharged  stock
            --------  ---------  ---------  ----  ------  ---------  -----------  -----
            checkout          9          8     1       2          3            4      5
            """);
  }

  @Test
  void howAnIndexComparesIsToldBesides() throws Exception {
    IndexVerdict index = new IndexVerdict(30, 9, 5, 1, 2, 3, List.of());
    DemoReport report =
        new DemoReport(
            1,
            List.of(
                new StrategyResult(
                    StrategyKind.SEARCH,
                    index.verdict(800),
                    Optional.empty(),
                    Optional.of(index),
                    8,
                    100.0,
                    new Latency(null, null),
                    true)));

    assertThat(report.isAsPromised()).isFalse();
    assertThat(new ObjectMapper().readTree(Json.text(report.json())).at("/strategies/0/index"))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"products":30,"deleted":9,"missing":1,"extra":2,"stale":3,"late":5}
                    """));
    assertThat(report.table())
        .endsWith(
            """

            strategy  products  deleted  missing  extra  stale  late
            --------  --------  -------  -------  -----  -----  ----
            search          30        9        1      2      3     5
            """);
  }

  @Test
  void aCheckoutIsHeldToZerosOfEveryKind() {
    assertThat(checkout(new CheckoutVerdict(9, 8, 0, 0, 0, 0, 0)).isAsPromised()).isTrue();
    for (CheckoutVerdict bad :
        List.of(
            new CheckoutVerdict(9, 8, 1, 0, 0, 0, 0),
            new CheckoutVerdict(9, 8, 0, 1, 0, 0, 0),
            new CheckoutVerdict(9, 8, 0, 0, 1, 0, 0),
            new CheckoutVerdict(9, 8, 0, 0, 0, 1, 0),
            new CheckoutVerdict(9, 8, 0, 0, 0, 0, 1))) {
      assertThat(checkout(bad).isAsPromised()).as(bad.toString()).isFalse();
    }
  }

  @Test
  void tableHasOneRowForEachStrategy() {
    DemoReport report =
        new DemoReport(
            1, List.of(result(StrategyKind.OUTBOX, new Verdict(3000, 0, 0, 0, 0), true)));

    assertThat(report.table())
        .isEqualTo(
            """
            strategy  operations  lost  phantom  duplicate  reordered  kills  per second  p50 ms  p99 ms
            --------  ----------  ----  -------  ---------  ---------  -----  ----------  ------  ------
            outbox          3000     0        0          0          0      8         512     5.1    40.0
            """);
  }

  @Test
  void onlyStrategiesThatPromiseZerosAreHeldToThem() {
    Verdict bad = new Verdict(10, 1, 0, 0, 0);
    Verdict good = new Verdict(10, 0, 0, 0, 0);

    assertThat(result(StrategyKind.DB_THEN_BROKER, bad, true).isAsPromised()).isTrue();
    assertThat(result(StrategyKind.CONSUME_THEN_ACK, bad, true).isAsPromised()).isTrue();
    assertThat(result(StrategyKind.ACK_THEN_CONSUME, bad, false).isAsPromised()).isTrue();
    assertThat(result(StrategyKind.TWO_DATABASES_NAIVE, bad, true).isAsPromised()).isTrue();
    assertThat(result(StrategyKind.CHECKOUT_NAIVE, bad, true).isAsPromised()).isTrue();
    assertThat(result(StrategyKind.SEARCH_NAIVE, bad, true).isAsPromised()).isTrue();
    for (StrategyKind kind :
        List.of(
            StrategyKind.OUTBOX,
            StrategyKind.INBOX,
            StrategyKind.WEBHOOK,
            StrategyKind.TWO_PHASE,
            StrategyKind.CHECKOUT,
            StrategyKind.SEARCH)) {
      assertThat(result(kind, bad, true).isAsPromised()).isFalse();
      assertThat(result(kind, good, false).isAsPromised()).isFalse();
      assertThat(result(kind, good, true).isAsPromised()).isTrue();
    }
  }

  @Test
  void exitStatusTellsWhetherThePromiseWasKept() {
    Verdict bad = new Verdict(10, 0, 0, 1, 0);
    Verdict good = new Verdict(10, 0, 0, 0, 0);

    assertThat(
            DemoCommand.verdict(
                new DemoReport(
                    1,
                    List.of(
                        result(StrategyKind.BROKER_THEN_DB, bad, true),
                        result(StrategyKind.OUTBOX, good, true)))))
        .isZero();
    assertThat(
            DemoCommand.verdict(new DemoReport(1, List.of(result(StrategyKind.OUTBOX, bad, true)))))
        .isEqualTo(1);
    assertThat(
            DemoCommand.verdict(
                new DemoReport(1, List.of(result(StrategyKind.OUTBOX, good, false)))))
        .isEqualTo(1);
  }

  @Test
  void percentilesAreSamples() {
    assertThat(Latency.ofMicros(LongStream.rangeClosed(1, 100).map(n -> n * 1000).boxed().toList()))
        .isEqualTo(new Latency(50.0, 99.0));
    assertThat(Latency.ofMicros(List.of(1500L))).isEqualTo(new Latency(1.5, 1.5));
    assertThat(Latency.ofMicros(List.of())).isEqualTo(new Latency(null, null));
  }

  @Test
  void unknownStrategyIsNamedWithTheKnownOnes() {
    assertThatThrownBy(() -> DemoSettings.strategies(List.of("outbox", "hope")))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("'hope'")
        .hasMessageContaining("db-then-broker, broker-then-db, outbox")
        .hasMessageContaining("consume-then-ack, ack-then-consume, inbox, webhook")
        .hasMessageContaining("two-databases-naive, two-phase, checkout-naive, checkout")
        .hasMessageContaining("search-naive, search");
  }

  @Test
  void planKeepsEveryFaultInsideTheLoadAndFollowsTheSeed() {
    for (StrategyKind kind : StrategyKind.values()) {
      for (long seed = 1; seed <= 50; seed++) {
        FaultPlan plan = FaultPlan.of(kind, 300, 8, seed);
        assertThat(plan.faults()).allMatch(f -> f.after() >= 1 && f.after() < 300);
        assertThat(FaultPlan.of(kind, 300, 8, seed)).isEqualTo(plan);
      }
      assertThat(FaultPlan.of(kind, 300, 8, 1)).isNotEqualTo(FaultPlan.of(kind, 300, 8, 2));
    }
  }

  @Test
  void planKillsWhatThereIsAndTheServersOnce() {
    assertThat(victims(StrategyKind.OUTBOX))
        .containsOnly(
            entry(FaultPlan.Victim.ORDERS, 8L),
            entry(FaultPlan.Victim.BROKER, 1L),
            entry(FaultPlan.Victim.DATABASE, 1L));
    assertThat(victims(StrategyKind.INBOX))
        .containsOnly(
            entry(FaultPlan.Victim.ORDERS, 2L),
            entry(FaultPlan.Victim.SHIPPING, 4L),
            entry(FaultPlan.Victim.BROKER, 1L),
            entry(FaultPlan.Victim.DATABASE, 1L));
    assertThat(victims(StrategyKind.TWO_PHASE))
        .containsOnly(
            entry(FaultPlan.Victim.ORDERS, 8L),
            entry(FaultPlan.Victim.DATABASE, 1L),
            entry(FaultPlan.Victim.LEDGER, 1L),
            entry(FaultPlan.Victim.REPLY_OF_DATABASE, 8L),
            entry(FaultPlan.Victim.REPLY_OF_LEDGER, 8L));
    assertThat(victims(StrategyKind.CHECKOUT))
        .containsOnly(
            entry(FaultPlan.Victim.ORDERS, 8L),
            entry(FaultPlan.Victim.PAYMENTS, 4L),
            entry(FaultPlan.Victim.BROKER, 1L),
            entry(FaultPlan.Victim.DATABASE, 1L),
            entry(FaultPlan.Victim.PAYMENTS_DATABASE, 1L),
            entry(FaultPlan.Victim.REPLY_OF_DATABASE, 24L));
    assertThat(victims(StrategyKind.SEARCH))
        .containsOnly(
            entry(FaultPlan.Victim.ORDERS, 8L),
            entry(FaultPlan.Victim.DATABASE, 1L),
            entry(FaultPlan.Victim.SEARCH_ENGINE, 2L),
            entry(FaultPlan.Victim.REPLY_OF_DATABASE, 8L));
    assertThat(FaultPlan.of(StrategyKind.WEBHOOK, 300, 8, 1).faults())
        .filteredOn(fault -> fault.victim() == FaultPlan.Victim.SHIPPING)
        .allMatch(fault -> fault.instance() == 0);
  }

  private static Map<FaultPlan.Victim, Long> victims(StrategyKind kind) {
    return FaultPlan.of(kind, 300, 8, 1).faults().stream()
        .collect(Collectors.groupingBy(FaultPlan.Fault::victim, Collectors.counting()));
  }
}
