package dev.holdfast.postgres.reconcile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.reconcile.Difference;
import dev.holdfast.reconcile.Drift;
import dev.holdfast.reconcile.Entry;
import dev.holdfast.reconcile.EntryIndex;
import dev.holdfast.reconcile.HashRange;
import dev.holdfast.reconcile.Reconciliation;
import dev.holdfast.reconcile.Report;
import dev.holdfast.reconcile.SideSession;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the database sums is what Java sums, with and without an index. */
final class PostgresSideTest {
  private final TwoTables tables = new TwoTables();

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatItSumsIsWhatJavaSums(boolean indexed) {
    tables.fill(3_000);
    tables.source("insert into %s values ('ä€😀\"\\', -7, now() - interval '1 hour', 1, null)");
    if (indexed) {
      tables.source(tables.source.index().replace("concurrently ", "").replace("%", "%%"));
      tables.source("analyze %s");
    }
    try (SideSession session = tables.source.open()) {
      Instant before = Instant.parse("2026-01-01T00:00:00.001500Z");
      EntryIndex java = new EntryIndex();
      session.list(List.of(HashRange.ALL), null, 10_000).forEach(java::add);
      assertThat(java.size()).isEqualTo(3_001);
      List<HashRange> some = HashRange.ALL.split(64).subList(3, indexed ? 10 : 40);
      for (@Nullable Instant time : new Instant[] {null, before}) {
        assertThat(session.summarize(List.of(HashRange.ALL), 64, time))
            .isEqualTo(java.summarize(List.of(HashRange.ALL), 64, time));
        assertThat(session.summarize(some, 64, time)).isEqualTo(java.summarize(some, 64, time));
        assertThat(session.list(some, time, 10_000))
            .containsExactlyInAnyOrderElementsOf(java.list(some, time, 10_000));
      }
      assertThat(session.list(some, null, 7)).hasSize(7);
      assertThat(session.read(List.of("k5", "ä€😀\"\\", "nobody")))
          .containsExactlyInAnyOrderElementsOf(java.read(List.of("k5", "ä€😀\"\\")));
      assertThat(session.now()).isAfter(before);
    }
    assertThat(usesIndex()).isEqualTo(indexed);
  }

  private boolean usesIndex() {
    return TwoTables.query(tables.from, tables.source.sql().explain())
        .get(0)
        .contains("Index Cond");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatDiffersIsFound(boolean indexed) throws InterruptedException {
    tables.fill(20_000);
    if (indexed) {
      tables.source(tables.source.index().replace("concurrently ", "").replace("%", "%%"));
      tables.source("analyze %s");
    }
    tables.derived("delete from %s where id in ('k1', 'k2')");
    tables.source("delete from %s where id in ('k3')");
    tables.source("update %s set version = 2 where id in ('k4', 'k5', 'k6')");
    tables.derived("update %s set version = 2 where id in ('k7')");

    Report report = reconciliation().build().run();

    assertThat(found(report))
        .isEqualTo("EXTRA k3, MISSING k1, MISSING k2, NEWER k7, STALE k4, STALE k5, STALE k6");
    assertThat(report.complete()).isTrue();
    assertThat(report.repairs().dryRun()).isTrue();
    assertThat(report.work().sourceRows()).isLessThan(1_000);
  }

  private Reconciliation.Builder reconciliation() {
    return Reconciliation.of(tables.source, tables.derived).settle(Duration.ZERO);
  }

  static String found(Report report) {
    return report.samples().stream()
        .map(each -> each.drift() + " " + each.key())
        .sorted()
        .collect(Collectors.joining(", "));
  }

  @Test
  void contentIsComparedWhereThereIsNoVersion() throws InterruptedException {
    tables.fill(500);
    tables.derived("update %s set note = 'other' where id = 'k9'");

    assertThat(reconciliation().build().run().differences()).isZero();
    Report report =
        Reconciliation.of(
                tables.source.content("note", "total"), tables.derived.content("note", "total"))
            .settle(Duration.ZERO)
            .build()
            .run();

    assertThat(found(report)).isEqualTo("STALE k9");
    assertThatThrownBy(() -> Reconciliation.of(tables.source.content("note"), tables.derived))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("must be compared by the same");
  }

  @Test
  void aKeyThatIsThereTwiceIsSaidToBe() throws InterruptedException {
    tables.fill(300);
    PostgresSide view =
        PostgresSide.table(tables.to, "public", tables.name + " twice").keyExpression("\"id\"");
    TwoTables.execute(
        tables.to,
        "create view \"%s twice\" as select * from \"%s\" union all select * from \"%s\" where id = 'k7'"
            .formatted(tables.name, tables.name, tables.name));

    Report report = Reconciliation.of(tables.source, view).settle(Duration.ZERO).build().run();

    assertThat(found(report)).isEqualTo("DUPLICATE k7");
  }

  @Test
  void aKeyOfAnotherTypeThanTheOtherSidesIsReadAllTheSame() throws InterruptedException {
    TwoTables.execute(
        tables.from,
        "create table \"n %s\" (id int primary key, version int)".formatted(tables.name));
    TwoTables.execute(
        tables.to,
        "create table \"n %s\" (id varchar(3) primary key, version numeric)"
            .formatted(tables.name));
    TwoTables.execute(
        tables.from, "insert into \"n %s\" values (1, 1), (123456, 1)".formatted(tables.name));
    TwoTables.execute(
        tables.to,
        "insert into \"n %s\" values ('1', 1.0), ('x', 1), ('123', 1)".formatted(tables.name));

    Report report =
        Reconciliation.of(
                PostgresSide.table(tables.from, "public", "n " + tables.name),
                PostgresSide.table(tables.to, "public", "n " + tables.name))
            .settle(Duration.ZERO)
            .build()
            .run();

    assertThat(found(report)).isEqualTo("EXTRA 123, EXTRA x, MISSING 123456");
  }

  @Test
  void whatIsNotThereIsNamedWithWhatToCheck() {
    assertThatThrownBy(() -> PostgresSide.table(tables.from, "public", "no table").open())
        .isInstanceOf(DatabaseFailure.class)
        .hasMessageContaining("look at table public.no table")
        .hasMessageContaining("42P01");
    assertThatThrownBy(() -> tables.source.version("no column").open())
        .isInstanceOf(DatabaseFailure.class)
        .hasMessageContaining("42703");
  }

  @Test
  void aRowThatHasJustChangedIsLeftOut() throws InterruptedException {
    tables.fill(300);
    tables.source("update %s set version = 2, \"changed at\" = now() where id = 'k1'");
    tables.derived(
        "update %s set version = 2, \"changed at\" = now() + interval '1 hour' where id = 'k1'");

    // Both are of the last hour.
    try (SideSession source = tables.source.open();
        SideSession derived = tables.derived.open()) {
      Instant before = source.now().minusSeconds(3_600);
      assertThat(source.summarize(List.of(HashRange.ALL), 1, before))
          .isEqualTo(derived.summarize(List.of(HashRange.ALL), 1, before));
      assertThat(source.summarize(List.of(HashRange.ALL), 1, before).get(0).count()).isEqualTo(299);
    }
  }

  @Test
  void aKeyIsNeverAPartOfAStatement() {
    tables.fill(3);
    String key = "k1'; drop table \"" + tables.name + "\"; --";
    tables.source("insert into %s values (?, 1, now(), 1, null)", key);
    PostgresRepair repair = PostgresRepair.copying(tables.source, tables.derived);
    try (SideSession session = tables.source.open()) {
      Entry entry = session.read(List.of(key)).get(0);
      repair.apply(List.of(new Difference(Drift.MISSING, key, entry, null, Instant.EPOCH)));
    }
    assertThat(
            TwoTables.query(tables.to, "select id from \"%s\" order by id".formatted(tables.name)))
        .hasSize(4)
        .contains(key);
  }

  @Test
  void manyRangesAreAskedForAtOnce() {
    tables.fill(1_000);
    List<HashRange> ranges =
        HashRange.ALL.split(4_096).stream().limit(Reconciliation.RANGES_AT_ONCE).toList();
    try (SideSession session = tables.source.open()) {
      assertThat(session.summarize(ranges, 64, null)).hasSize(64 * Reconciliation.RANGES_AT_ONCE);
      List<String> keys =
          IntStream.range(0, Reconciliation.KEYS_AT_ONCE).mapToObj(i -> "k" + i).toList();
      assertThat(session.read(keys)).hasSize(999);
    }
  }
}
