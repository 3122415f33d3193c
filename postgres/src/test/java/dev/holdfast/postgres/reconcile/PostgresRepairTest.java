package dev.holdfast.postgres.reconcile;

import static dev.holdfast.postgres.reconcile.PostgresSideTest.found;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.reconcile.Difference;
import dev.holdfast.reconcile.Drift;
import dev.holdfast.reconcile.Entry;
import dev.holdfast.reconcile.Reconciliation;
import dev.holdfast.reconcile.Repaired;
import dev.holdfast.reconcile.Report;
import dev.holdfast.reconcile.Side;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is repaired is what was seen, and nothing else. */
final class PostgresRepairTest {
  private static final int ROWS = 400;

  private final TwoTables tables = new TwoTables();
  private final AtomicBoolean stop = new AtomicBoolean();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  private void differ() {
    tables.fill(2_000);
    tables.derived("delete from %s where id in ('k1', 'k2')");
    tables.source("delete from %s where id in ('k3')");
    tables.source(
        "update %s set version = 2, total = total + 0.50, note = null where id in ('k4', 'k5')");
    tables.source(
        "update %s set note = ? where id = 'k1'", "a \"quoted\" \\ note\nof two lines 😀");
  }

  private Reconciliation.Builder reconciliation() {
    return Reconciliation.of(tables.source, tables.derived)
        .settle(Duration.ZERO)
        .repair(PostgresRepair.copying(tables.source, tables.derived));
  }

  @Test
  void theDerivedTableComesToBeAsTheSource() throws InterruptedException {
    differ();

    Report first = reconciliation().build().run();
    assertThat(first.repairs().done()).isEqualTo(4);
    assertThat(first.left()).isEqualTo(1);
    assertThat(found(reconciliation().build().run())).isEqualTo("EXTRA k3");

    Report second = reconciliation().deleteExtras().build().run();
    assertThat(second.repairs().done()).isEqualTo(1);
    assertThat(second.left()).isZero();
    assertThat(tables.rows(tables.to)).isEqualTo(tables.rows(tables.from));
    assertThat(reconciliation().build().run().suspected()).isZero();
  }

  @Test
  @Attacks("reconcile.nothing-newer")
  void nothingNewerIsOverwrittenWhoeverComesFirst() {
    differ();
    tables.fill(0);
    PostgresRepair repair = PostgresRepair.copying(tables.source, tables.derived);
    // Since it was looked at, the derived table got what is newer.
    tables.derived("insert into %s values ('k1', 7, now(), 7, 'newer')");
    tables.derived("update %s set version = 7, note = 'newer' where id in ('k4', 'k3')");
    // And the source has changed.
    tables.source("update %s set version = 9 where id = 'k5'");
    tables.source("insert into %s values ('k6x', 1, now(), 1, 'back')");
    tables.derived("insert into %s values ('k6x', 1, '2026-01-01Z', 1, 'back')");

    assertThat(
            repair.apply(
                List.of(
                    difference(Drift.MISSING, "k1", 1L, null),
                    difference(Drift.EXTRA, "k3", null, 1L),
                    difference(Drift.STALE, "k4", 2L, 1L),
                    difference(Drift.STALE, "k5", 2L, 1L),
                    difference(Drift.EXTRA, "k6x", null, 1L),
                    difference(Drift.MISSING, "k2", 1L, null))))
        .containsExactly(
            new Repaired.Overtaken(),
            new Repaired.Overtaken(),
            new Repaired.Overtaken(),
            new Repaired.Overtaken(),
            new Repaired.Overtaken(),
            new Repaired.Done());
    assertThat(tables.rows(tables.to))
        .anyMatch(row -> row.startsWith("k1 7 7 newer"))
        .anyMatch(row -> row.startsWith("k4 7 4 newer"))
        .anyMatch(row -> row.startsWith("k3 7 3 newer"))
        .anyMatch(row -> row.startsWith("k5 1 5 n5"))
        .anyMatch(row -> row.startsWith("k6x 1"));
  }

  private static Difference difference(
      Drift drift, String key, @Nullable Long source, @Nullable Long derived) {
    return new Difference(drift, key, entry(key, source), entry(key, derived), Instant.EPOCH);
  }

  private static @Nullable Entry entry(String key, @Nullable Long version) {
    return version == null
        ? null
        : new Entry(
            key,
            "" + version,
            Instant.parse("2026-01-01T00:00:00Z")
                .plusNanos(1_000L * Integer.parseInt(key.substring(1).replace("x", ""))));
  }

  @Test
  @Attacks("reconcile.nothing-newer")
  void aRowThatIsRefusedHoldsUpNoOther() throws InterruptedException {
    tables.fill(100);
    tables.source("alter table %s drop constraint \"" + tables.name + "_total_check\"");
    tables.source("update %s set version = 2, total = 5000000 where id = 'k4'");
    tables.source("update %s set version = 2 where id in ('k5', 'k6')");

    Report report = reconciliation().build().run();

    assertThat(report.repairs().done()).isEqualTo(2);
    assertThat(report.repairs().refused()).isEqualTo(1);
    assertThat(report.repairs().reasons().get(0))
        .startsWith("k4: SQLState 23514")
        .contains("total_check");
    assertThat(found(reconciliation().build().run())).isEqualTo("STALE k4");
  }

  @Test
  void withoutAUniqueKeyNothingIsInserted() {
    tables.fill(10);
    tables.derived("alter table %s drop constraint \"" + tables.name + "_pkey\"");
    tables.derived("delete from %s where id = 'k1'");
    assertThatThrownBy(() -> reconciliation().build().run()).hasMessageContaining("42P10");
    assertThatThrownBy(
            () -> PostgresRepair.copying(tables.source, tables.derived.keyExpression("id")))
        .isInstanceOf(InvalidConfiguration.class);
  }

  @Test
  @Attacks("reconcile.no-alarm")
  void whatArrivesBeforeTheSecondLookIsNoDrift() throws InterruptedException {
    differ();
    tables.source("update %s set version = 2 where id = 'k9'");
    tables.source("delete from %s where id = 'k10'");
    tables.source("insert into %s values ('k11x', 1, '2026-01-01Z', 1, 'new')");
    Side late =
        new SecondLook(
            tables.derived,
            () -> {
              tables.derived("update %s set version = 2 where id = 'k9'");
              tables.derived("delete from %s where id = 'k10'");
              tables.derived("insert into %s values ('k11x', 1, '2026-01-01Z', 1, 'new')");
            });

    Report report =
        Reconciliation.of(tables.source, late).settle(Duration.ofMillis(1)).build().run();

    assertThat(found(report)).isEqualTo("EXTRA k3, MISSING k1, MISSING k2, STALE k4, STALE k5");
    // What would be three false alarms for whoever looks once.
    assertThat(report.suspected()).isEqualTo(8);
  }

  /**
   * Writers change rows at the source and bring them to the derived table a little later, as an
   * outbox does, while runs repair what somebody else breaks. At every write of a version it is
   * looked whether it is lower than what was there.
   */
  @Test
  @Attacks({"reconcile.found", "reconcile.no-alarm", "reconcile.nothing-newer"})
  void whileWritersRunNothingNewerIsOverwrittenAndNothingIsAFalseAlarm() throws Exception {
    watchRegressions();
    Set<String> broken = new HashSet<>();
    List<Thread> writers = startWriters(0);
    long repaired = 0;
    try {
      Random random = new Random(7);
      for (int round = 0; round < 3; round++) {
        broken.clear();
        for (int i = 0; i < 10; i++) {
          // Of rows that nobody writes any more, or the next write would mend them.
          String key = "cold" + round + "-" + i;
          tables.source("insert into %s values (?, 5, '2026-02-02Z', 1, 'cold')", key);
          if (random.nextBoolean()) {
            tables.derived("insert into %s values (?, 4, '2026-02-01Z', 1, 'cold')", key);
          }
          broken.add(key);
        }
        // Without the time of a change, rows that are on their way are not left out at first.
        PostgresSide source =
            round % 2 == 0 ? PostgresSide.table(tables.from, "public", tables.name) : tables.source;
        PostgresSide derived =
            round % 2 == 0 ? PostgresSide.table(tables.to, "public", tables.name) : tables.derived;
        Report report =
            Reconciliation.of(source, derived)
                .settle(Duration.ofSeconds(2))
                .listBelow(8)
                .repair(PostgresRepair.copying(source, derived))
                .deleteExtras()
                .build()
                .run();
        assertThat(report.samples())
            .extracting(Difference::key)
            .containsExactlyInAnyOrderElementsOf(broken);
        repaired += report.repairs().done();
      }
    } finally {
      stop(writers);
    }
    assertThat(repaired).isEqualTo(30);
    assertNothingWasOverwritten();
  }

  /**
   * Without a settle window what is on its way is repaired, too, at the same time as it arrives:
   * needlessly, and harmlessly.
   */
  @Test
  @Attacks("reconcile.nothing-newer")
  void aRepairThatRacesWithAWriterOverwritesNothingNewer() throws Exception {
    watchRegressions();
    PostgresSide source = PostgresSide.table(tables.from, "public", tables.name);
    PostgresSide derived = PostgresSide.table(tables.to, "public", tables.name);
    List<Thread> writers = startWriters(20);
    long repaired = 0;
    try {
      for (int run = 0; run < 1_000 && repaired < 20; run++) {
        repaired +=
            Reconciliation.of(source, derived)
                .settle(Duration.ZERO)
                .listBelow(4)
                .repair(PostgresRepair.copying(source, derived))
                .deleteExtras()
                .build()
                .run()
                .repairs()
                .done();
      }
    } finally {
      stop(writers);
    }
    assertThat(repaired).isGreaterThanOrEqualTo(20);
    assertNothingWasOverwritten();
  }

  private void assertNothingWasOverwritten() {
    assertThat(failure.get()).isNull();
    assertThat(TwoTables.query(tables.to, "select id from \"regressions of " + tables.name + "\""))
        .isEmpty();
    assertThat(tables.rows(tables.to)).isEqualTo(tables.rows(tables.from));
  }

  private void stop(List<Thread> writers) throws InterruptedException {
    stop.set(true);
    for (Thread writer : writers) {
      writer.join();
    }
  }

  private void watchRegressions() {
    tables.fill(ROWS);
    TwoTables.execute(
        tables.from, "create sequence \"versions of %s\" start 100".formatted(tables.name));
    tables.derived("create table \"regressions of " + tables.name + "\" (id text)");
    tables.derived(
        """
        create function "watch %s"() returns trigger language plpgsql as $$
        begin
          if new.version < old.version then
            insert into "regressions of %s" values (old.id);
          end if;
          return new;
        end $$
        """
            .formatted(tables.name, tables.name));
    tables.derived(
        "create trigger watch before update on %s for each row execute function \"watch "
            + tables.name
            + "\"()");
  }

  /**
   * Each of its own half of the rows.
   *
   * @param behind by how many writes the derived table is
   */
  private List<Thread> startWriters(int behind) {
    List<Thread> writers =
        Stream.of(0, 1)
            .map(
                number ->
                    new Thread(
                        () -> {
                          Random random = new Random(number);
                          Deque<Runnable> underWay = new ArrayDeque<>();
                          try {
                            while (!stop.get()) {
                              underWay.add(
                                  write("k" + (2 * random.nextInt(ROWS / 2) + 1 + number), random));
                              while (underWay.size() > behind) {
                                underWay.remove().run();
                              }
                            }
                            underWay.forEach(Runnable::run);
                          } catch (RuntimeException e) {
                            failure.set(e);
                          }
                        }))
            .toList();
    writers.forEach(Thread::start);
    return writers;
  }

  /**
   * One commit there.
   *
   * @return the same state here, in a second one, which nothing newer is replaced by
   */
  private Runnable write(String key, Random random) {
    if (random.nextInt(5) == 0) {
      tables.source("delete from %s where id = ?", key);
      return () -> tables.derived("delete from %s where id = ?", key);
    }
    String state =
        TwoTables.query(
                tables.from,
                """
                insert into "%s" values ('%s', nextval('"versions of %s"'), clock_timestamp(), 1, 'again')
                on conflict (id) do update
                  set version = nextval('"versions of %s"'), "changed at" = clock_timestamp(), total = 1, note = 'again'
                returning version || ' ' || "changed at"
                """
                    .formatted(tables.name, key, tables.name, tables.name))
            .get(0);
    String[] parts = state.split(" ", 2);
    return () ->
        tables.derived(
            """
            insert into %1$s as there values (?, ?, ?::timestamptz, 1, 'again')
            on conflict (id) do update set version = excluded.version, "changed at" = excluded."changed at",
              total = excluded.total, note = excluded.note
            where there.version < excluded.version
            """,
            key, Long.parseLong(parts[0]), parts[1]);
  }
}
