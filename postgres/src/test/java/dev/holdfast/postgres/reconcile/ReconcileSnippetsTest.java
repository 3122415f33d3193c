package dev.holdfast.postgres.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.reconcile.Difference;
import dev.holdfast.reconcile.ReconcileListener;
import dev.holdfast.reconcile.Reconciliation;
import dev.holdfast.reconcile.Report;
import dev.holdfast.reconcile.Schedule;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The code of {@code docs/reconciliation.md}. */
final class ReconcileSnippetsTest {
  private final TwoTables tables = new TwoTables();

  @BeforeEach
  void create() {
    for (DataSource each : List.of(tables.from, tables.to)) {
      TwoTables.execute(each, "drop table if exists orders");
      TwoTables.execute(
          each,
          "create table orders (id int primary key, version int, changed_at timestamptz default now())");
    }
    TwoTables.execute(
        tables.from, "insert into orders select i, 1, '2026-01-01Z' from generate_series(1, 20) i");
  }

  @Test
  void aTableAndItsCopy() throws InterruptedException {
    assertThat(reconcile(tables.from, tables.to).repairs().done()).isEqualTo(20);
    assertThat(TwoTables.query(tables.to, "select count(*) from orders")).containsExactly("20");
  }

  private static Report reconcile(DataSource shop, DataSource ledger) throws InterruptedException {
    // snippet:reconcile-tables
    PostgresSide orders = PostgresSide.table(shop, "public", "orders").key("id").version("version");
    PostgresSide copies =
        PostgresSide.table(ledger, "public", "orders").key("id").version("version");

    Reconciliation reconciliation =
        Reconciliation.of(orders, copies)
            .settle(Duration.ofSeconds(2)) // how long a change may take to arrive
            .repair(PostgresRepair.copying(orders, copies)) // without it, a dry run
            .build();
    Report report = reconciliation.run();
    // report.differences(), report.left(), report.samples(), report.driftAge()
    // end
    return report;
  }

  @Test
  void againAndAgain() throws InterruptedException {
    CountDownLatch found = new CountDownLatch(1);
    AtomicReference<@Nullable Difference> first = new AtomicReference<>();
    PostgresSide orders = PostgresSide.table(tables.from, "public", "orders");
    PostgresSide copies = PostgresSide.table(tables.to, "public", "orders");
    Reconciliation reconciliation = Reconciliation.of(orders, copies).settle(Duration.ZERO).build();
    // snippet:reconcile-schedule
    ReconcileListener alarm =
        new ReconcileListener() {
          @Override
          public void ran(Report report) {
            if (report.left() > 0) {
              first.set(report.samples().get(0));
              found.countDown();
            }
          }

          @Override
          public void failed(RuntimeException failure) {
            // A side could not be looked at: the next run tries again.
          }
        };
    Schedule schedule = reconciliation.every(Duration.ofMinutes(10), alarm);
    // end
    try (schedule) {
      assertThat(found.await(1, TimeUnit.MINUTES)).isTrue();
      assertThat(first.get()).isNotNull();
    }
  }
}
