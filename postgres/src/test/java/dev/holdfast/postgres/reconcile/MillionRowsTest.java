package dev.holdfast.postgres.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.reconcile.Difference;
import dev.holdfast.reconcile.Drift;
import dev.holdfast.reconcile.Reconciliation;
import dev.holdfast.reconcile.Report;
import dev.holdfast.reconcile.Work;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a million rows take, in figures, which are printed. */
@Tag("long")
final class MillionRowsTest {
  private static final int ROWS = 1_000_000;

  /** Rows behind this one are written by the writers, and by nobody else. */
  private static final int COLD = 900_000;

  private final TwoTables tables = new TwoTables();
  private final AtomicBoolean stop = new AtomicBoolean();
  private final AtomicLong writes = new AtomicLong();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  private Report run(PostgresSide source, PostgresSide derived) throws InterruptedException {
    return Reconciliation.of(source, derived)
        .settle(Duration.ofSeconds(10))
        .samplesAtMost(10_000)
        .build()
        .run();
  }

  private static void print(String what, Report report) {
    Work work = report.work();
    System.out.printf(
        "FIGURE %s: %d differences, %d suspected, %d unsettled; rows read %d + %d, summaries %d, calls %d; %d ms with the settle window of 10 s%n",
        what,
        report.differences(),
        report.suspected(),
        report.unsettled(),
        work.sourceRows(),
        work.derivedRows(),
        work.summaries(),
        work.calls(),
        report.took().toMillis());
  }

  @Test
  @Attacks({"reconcile.found", "reconcile.no-alarm"})
  void aThousandDifferencesAreFoundWithoutAFalseAlarmAndTenAreCheap() throws Exception {
    tables.fill(ROWS);
    Map<String, Drift> ten = plant(10, new Random(1), new HashSet<>());
    Report withoutIndex = run(tables.source, tables.derived);
    print("10 planted, no index, no writers", withoutIndex);
    assertThat(found(withoutIndex)).isEqualTo(ten);
    assertTransfersUnderOnePercent(withoutIndex);

    for (PostgresSide side : List.of(tables.source, tables.derived)) {
      TwoTables.execute(
          side == tables.source ? tables.from : tables.to,
          side.index().replace("concurrently ", ""));
    }
    tables.source("analyze %s");
    tables.derived("analyze %s");
    assertThat(PostgresSession.open(tables.source).isIndexed()).isTrue();
    assertThat(PostgresSession.open(tables.derived).isIndexed()).isTrue();
    Report withIndex = run(tables.source, tables.derived);
    print("10 planted, index, no writers", withIndex);
    assertThat(found(withIndex)).isEqualTo(ten);
    assertTransfersUnderOnePercent(withIndex);

    Map<String, Drift> all = new HashMap<>(ten);
    all.putAll(plant(990, new Random(2), ten.keySet()));
    assertThat(all).hasSize(1_000);
    List<Thread> writers = writers();
    try {
      Report times = run(tables.source, tables.derived);
      print("1000 planted, writers, with times of changes", times);
      assertThat(found(times)).isEqualTo(all);
      Report noTimes =
          run(
              PostgresSide.table(tables.from, "public", tables.name),
              PostgresSide.table(tables.to, "public", tables.name));
      print("1000 planted, writers, without", noTimes);
      assertThat(found(noTimes)).isEqualTo(all);
    } finally {
      stop.set(true);
      for (Thread writer : writers) {
        writer.join();
      }
    }
    assertThat(failure.get()).isNull();
    assertThat(writes.get()).isGreaterThan(1_000);
    System.out.printf("FIGURE writes meanwhile: %d%n", writes.get());
  }

  private static void assertTransfersUnderOnePercent(Report report) {
    Work work = report.work();
    assertThat(work.sourceRows() + work.derivedRows() + work.summaries()).isLessThan(ROWS / 100);
  }

  private static Map<String, Drift> found(Report report) {
    Map<String, Drift> found = new HashMap<>();
    for (Difference each : report.samples()) {
      found.put(each.key(), each.drift());
    }
    assertThat(report.complete()).isTrue();
    assertThat(report.differences()).isEqualTo(found.size());
    return found;
  }

  /** As many of each kind, among the rows that nobody else writes. */
  private Map<String, Drift> plant(int number, Random random, Set<String> taken) {
    Map<String, Drift> planted = new HashMap<>();
    while (planted.size() < number) {
      String key = "k" + (1 + random.nextInt(COLD));
      if (taken.contains(key) || planted.containsKey(key)) {
        continue;
      }
      switch (planted.size() % 3) {
        case 0 -> {
          tables.derived("delete from %s where id = ?", key);
          planted.put(key, Drift.MISSING);
        }
        case 1 -> {
          tables.source("delete from %s where id = ?", key);
          planted.put(key, Drift.EXTRA);
        }
        default -> {
          tables.source("update %s set version = 2 where id = ?", key);
          planted.put(key, Drift.STALE);
        }
      }
    }
    return planted;
  }

  /** One commit at the source, and the same state at the derived table in a second one. */
  private List<Thread> writers() {
    TwoTables.execute(
        tables.from, "create sequence \"versions of %s\" start 100".formatted(tables.name));
    List<Thread> writers = new ArrayList<>();
    for (int number = 0; number < 2; number++) {
      int own = number;
      Random random = new Random(number);
      Thread writer =
          new Thread(
              () -> {
                try {
                  while (!stop.get()) {
                    write("k" + (COLD + 1 + 2 * random.nextInt((ROWS - COLD) / 2) + own), random);
                    writes.incrementAndGet();
                  }
                } catch (RuntimeException e) {
                  failure.set(e);
                }
              });
      writer.start();
      writers.add(writer);
    }
    return writers;
  }

  private void write(String key, Random random) {
    if (random.nextInt(5) == 0) {
      tables.source("delete from %s where id = ?", key);
      tables.derived("delete from %s where id = ?", key);
      return;
    }
    String state =
        TwoTables.query(
                tables.from,
                """
                insert into "%s" values ('%s', nextval('"versions of %s"'), clock_timestamp(), 1, 'again')
                on conflict (id) do update
                  set version = nextval('"versions of %s"'), "changed at" = clock_timestamp()
                returning version || ' ' || "changed at"
                """
                    .formatted(tables.name, key, tables.name, tables.name))
            .get(0);
    String[] parts = state.split(" ", 2);
    tables.derived(
        """
        insert into %s values (?, ?, ?::timestamptz, 1, 'again')
        on conflict (id) do update set version = excluded.version, "changed at" = excluded."changed at"
        """,
        key, Long.parseLong(parts[0]), parts[1]);
  }
}
