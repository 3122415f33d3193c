package dev.holdfast.opensearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.postgres.reconcile.PostgresSide;
import dev.holdfast.reconcile.Difference;
import dev.holdfast.reconcile.Drift;
import dev.holdfast.reconcile.Entry;
import dev.holdfast.reconcile.EntryIndex;
import dev.holdfast.reconcile.HashRange;
import dev.holdfast.reconcile.Hashes;
import dev.holdfast.reconcile.Reconciliation;
import dev.holdfast.reconcile.Repair;
import dev.holdfast.reconcile.Repaired;
import dev.holdfast.reconcile.Report;
import dev.holdfast.reconcile.SideSession;
import dev.holdfast.reconcile.Versions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A table and the index that is made of it. */
final class SearchReconcileTest {
  private static final HikariDataSource POOL = TestServers.pool(4);

  private final String name = TestServers.unique("compared");
  private final SearchIndex index =
      SearchIndex.of(TestServers.engine(), name)
          .definition(
              """
              {"settings": {"number_of_replicas": 0, "number_of_shards": 2},
               "mappings": {"properties": {"n": {"type": "long"}}}}
              """)
          .comparable();
  private final PostgresSide table = PostgresSide.table(POOL, "public", name);
  private final SearchSide side = SearchSide.of(index, Versions.NUMBERS);

  @BeforeEach
  void create() {
    index.create();
    TestServers.execute(
        POOL, "create table %s (id text primary key, version bigint, n text)".formatted(name));
  }

  private void rows(String sql) {
    TestServers.execute(POOL, sql.formatted(name));
  }

  /** The documents of rows, as the index should have them. */
  private List<Document> documents(List<String> keys) {
    return table.rows(keys, List.of("n")).stream()
        .map(row -> Document.of(row.entry().key(), row.json()).comparedBy(row.entry().version()))
        .toList();
  }

  private void write(long version, Document... documents) {
    Bulk bulk = new Bulk(name, 10_000, true);
    try {
      for (Document document : documents) {
        bulk.add(document, version, Instant.EPOCH);
      }
      assertThat(bulk.send(index.engine()))
          .allSatisfy(each -> assertThat(each).isInstanceOf(Bulk.Written.Done.class));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private void fill(int rows) {
    rows("insert into %%s select 'k' || i, 1, i from generate_series(1, %d) i".formatted(rows));
    write(1, documents(keys(rows)).toArray(Document[]::new));
  }

  private static List<String> keys(int number) {
    List<String> keys = new ArrayList<>();
    for (int i = 1; i <= number; i++) {
      keys.add("k" + i);
    }
    return keys;
  }

  private Reconciliation.Builder reconciliation() {
    return Reconciliation.of(table, side).settle(Duration.ZERO);
  }

  private static String found(Report report) {
    return report.samples().stream()
        .map(each -> each.drift() + " " + each.key())
        .sorted()
        .collect(Collectors.joining(", "));
  }

  @Test
  void whatItSumsIsWhatJavaSums() {
    Random random = new Random(3);
    EntryIndex java = new EntryIndex();
    List<Document> all = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      String revision = "r" + random.nextInt();
      all.add(Document.of("k" + i, "{}").comparedBy(revision));
      java.add(new Entry("k" + i, revision, null));
    }
    write(1, all.toArray(Document[]::new));
    write(2, Document.deleted("k7"), Document.deleted("never"));
    java.remove("k7");
    HashRange one = new HashRange(Hashes.point("k9"), Hashes.point("k9") + 1);
    try (SideSession session = side.open()) {
      for (List<HashRange> ranges :
          List.of(
              List.of(HashRange.ALL),
              HashRange.ALL.split(64).subList(1, 60),
              HashRange.ALL.split(4_096).subList(0, 1_024))) {
        assertThat(session.summarize(ranges, 64, null)).isEqualTo(java.summarize(ranges, 64, null));
        assertThat(session.list(ranges, null, 10_000))
            .containsExactlyInAnyOrderElementsOf(java.list(ranges, null, 10_000));
      }
      assertThat(session.summarize(List.of(one), 1, null))
          .isEqualTo(java.summarize(List.of(one), 1, null));
      assertThat(session.list(List.of(HashRange.ALL), null, 17)).hasSize(17);
      assertThat(session.read(List.of("k7", "k8", "x".repeat(600), "")))
          .isEqualTo(java.read(List.of("k8")));
    }
  }

  private void differ() {
    fill(900);
    write(2, Document.deleted("k1"));
    TestServers.ask("DELETE", "/" + name + "/_doc/k2?version=1&version_type=external_gte", null);
    rows("delete from %s where id = 'k3'");
    rows("update %s set version = 5, n = '77' where id in ('k1', 'k4', 'k5')");
    write(9, Document.of("k6", "{\"n\": 6}").comparedBy("9"));
  }

  @Test
  @Attacks("reconcile.found")
  void whatIsMissingExtraOrStaleIsFoundAndRepaired() throws InterruptedException {
    differ();
    String all = "EXTRA k3, MISSING k1, MISSING k2, NEWER k6, STALE k4, STALE k5";

    Report dry = reconciliation().build().run();
    assertThat(found(dry)).isEqualTo(all);
    assertThat(dry.repairs().dryRun()).isTrue();
    Report report =
        reconciliation()
            .repair(SearchRepair.versionedByRow(index, this::documents))
            .deleteExtras()
            .build()
            .run();

    assertThat(found(report)).isEqualTo(all);
    assertThat(report.repairs().done()).isEqualTo(5);
    assertThat(found(reconciliation().build().run())).isEqualTo("NEWER k6");
    assertThat(TestServers.search(name, "n:desc").get(0)).contains("\"n\":\"900\"");
    // What was deleted at the source leaves a tombstone, which nothing older passes.
    write(1, Document.of("k3", "{\"n\": 3}").comparedBy("1"));
    assertThat(found(reconciliation().build().run())).isEqualTo("NEWER k6");
  }

  private static Difference difference(
      Drift drift, String key, @Nullable String source, @Nullable String derived) {
    return new Difference(
        drift,
        key,
        source == null ? null : new Entry(key, source, null),
        derived == null ? null : new Entry(key, derived, null),
        Instant.EPOCH);
  }

  @Test
  @Attacks("reconcile.nothing-newer")
  void nothingNewerIsOverwritten() {
    differ();
    Repair repair =
        SearchRepair.versionedByRow(
            index,
            keys -> {
              List<Document> documents = documents(keys);
              // Between the reading of the source and the writing: what is newer arrives.
              rows("update %s set version = 8 where id in ('k1', 'k4')");
              rows("insert into %s values ('k3', 8, '8')");
              for (String key : List.of("k1", "k3", "k4")) {
                write(8, Document.of(key, "{\"n\": 8}").comparedBy("8"));
              }
              return documents;
            });

    assertThat(
            repair.apply(
                List.of(
                    difference(Drift.MISSING, "k1", "5", null),
                    difference(Drift.EXTRA, "k3", null, "1"),
                    difference(Drift.STALE, "k4", "5", "1"),
                    difference(Drift.STALE, "k5", "5", "1"))))
        .containsExactly(
            new Repaired.Overtaken(),
            new Repaired.Overtaken(),
            new Repaired.Overtaken(),
            new Repaired.Done());
    assertThat(ComparingSession.stored(index, List.of("k1", "k3", "k4", "k5")))
        .extracting(ComparingSession.Stored::revision)
        .containsExactly("8", "8", "8", "5");
  }

  /** It is deleted, and the channel delivers that, between the reading of the two. */
  @Test
  void aDocumentThatIsDeletedMeanwhileIsNotBroughtBack() {
    SearchRepair repair =
        SearchRepair.versionedByOutbox(
            index,
            keys -> {
              write(9, Document.deleted("a"));
              return List.of(Document.of("a", "{\"n\": 1}").comparedBy("1"));
            });
    Difference missing =
        new Difference(Drift.MISSING, "a", new Entry("a", "1", null), null, Instant.EPOCH);
    assertThat(repair.apply(List.of(missing)))
        .singleElement()
        .isInstanceOf(Repaired.Overtaken.class);
    assertThat(TestServers.search(name, "n")).isEmpty();
  }

  /** And one that comes back with the content that it had stays. */
  @Test
  void aDocumentThatComesBackMeanwhileIsNotDeleted() {
    write(3, Document.of("a", "{\"n\": 1}").comparedBy("1"));
    SearchRepair repair =
        SearchRepair.versionedByOutbox(
            index,
            keys -> {
              write(9, Document.of("a", "{\"n\": 1}").comparedBy("1"));
              return List.of();
            });
    Difference extra =
        new Difference(Drift.EXTRA, "a", null, new Entry("a", "1", null), Instant.EPOCH);
    assertThat(repair.apply(List.of(extra))).singleElement().isInstanceOf(Repaired.Overtaken.class);
    assertThat(TestServers.search(name, "n")).hasSize(1);
  }

  @Test
  void aConflictWithTheMappingIsRefusedAlone() throws InterruptedException {
    fill(50);
    rows("update %s set version = 2, n = 'a lot' where id = 'k4'");
    rows("update %s set version = 2, n = '5' where id = 'k5'");

    Report report =
        reconciliation().repair(SearchRepair.versionedByRow(index, this::documents)).build().run();

    assertThat(report.repairs().done()).isEqualTo(1);
    assertThat(report.repairs().refused()).isEqualTo(1);
    assertThat(report.repairs().reasons().get(0))
        .contains("k4: mapper_parsing_exception", "[n]")
        .doesNotContain("a lot");
    assertThat(found(reconciliation().build().run())).isEqualTo("STALE k4");
    Report silent =
        reconciliation()
            .repair(SearchRepair.versionedByRow(index, keys -> List.of(Document.of("k4", "{}"))))
            .build()
            .run();
    assertThat(silent.repairs().reasons().get(0)).contains("comparedBy()");
  }

  @Test
  void anIndexThatIsDeletedUnderneathEndsTheRunAndIsNotMadeAnew() {
    differ();
    String physical = index.physical().orElseThrow();
    Reconciliation reconciliation =
        reconciliation()
            .repair(
                SearchRepair.versionedByRow(
                    index,
                    keys -> {
                      List<Document> documents = documents(keys);
                      TestServers.ask("DELETE", "/" + physical, null);
                      return documents;
                    }))
            .build();

    assertThatThrownBy(reconciliation::run)
        .isInstanceOfSatisfying(
            SearchEngineFailure.class, failure -> assertThat(failure.status()).isEqualTo(404));
    assertThat(TestServers.ask("GET", "/" + name, null).status()).isEqualTo(404);
    assertThatThrownBy(reconciliation::run)
        .isInstanceOf(SearchEngineFailure.class)
        .hasMessageContaining("no alias " + name);
  }

  @Test
  void documentsThatSayNothingAreNotTakenForMissing() {
    fill(5);
    TestServers.ask("PUT", "/" + name + "/_doc/foreign", "{\"n\": 1}");
    assertThatThrownBy(() -> reconciliation().build().run())
        .isInstanceOf(SearchEngineFailure.class)
        .hasMessageContaining("1 documents")
        .hasMessageContaining("Rebuild it");
    assertThatThrownBy(
            () -> SearchSide.of(SearchIndex.of(TestServers.engine(), "other"), Versions.NUMBERS))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("comparable()");
  }

  /** A message whose payload is a row's version and content, for {@code key}. */
  private Delivery deliver(long position, String key, String revision) {
    SearchTarget target =
        SearchTarget.to(
            index,
            message ->
                Optional.of(Document.of(key, "{\"n\": " + revision + "}").comparedBy(revision)));
    try (TargetSession session = target.open(new Target.Context("search", "scope"))) {
      return session.send(
          List.of(
              new OutboxRecord(
                  position,
                  OutboxRecord.Kind.MESSAGE,
                  UUID.randomUUID(),
                  "orders",
                  key,
                  "order",
                  "application/json",
                  "{}".getBytes(StandardCharsets.UTF_8),
                  Map.of(),
                  null,
                  1_000_000_000_000L)),
          "p");
    }
  }

  @Test
  void whatAChannelHasYetToDeliverReplacesARepair() throws InterruptedException {
    rows("insert into %s values ('a', 2, '2'), ('b', 1, '1')");
    // Of a, version 2 was lost; of b, everything.
    assertThat(deliver(500, "a", "1")).isInstanceOf(Delivery.Done.class);

    Report report =
        reconciliation()
            .repair(SearchRepair.versionedByOutbox(index, this::documents))
            .build()
            .run();
    assertThat(found(report)).isEqualTo("MISSING b, STALE a");
    assertThat(report.repairs().done()).isEqualTo(2);
    assertThat(reconciliation().build().run().suspected()).isZero();

    assertThat(deliver(501, "a", "3")).isInstanceOf(Delivery.Done.class);
    assertThat(deliver(502, "b", "3")).isInstanceOf(Delivery.Done.class);
    assertThat(deliver(499, "a", "0")).isInstanceOf(Delivery.Done.class);
    rows("update %s set version = 3");
    assertThat(reconciliation().build().run().suspected()).isZero();
  }

  /**
   * A writer changes rows and writes them to the index in a second commit, while runs repair what
   * was planted beside them.
   */
  @Test
  @Attacks({"reconcile.found", "reconcile.no-alarm", "reconcile.nothing-newer"})
  void whileAWriterRunsWhatWasPlantedIsFoundAloneAndNothingNewerIsOverwritten() throws Exception {
    fill(300);
    rows("create sequence versions_of_%1$s start 100");
    AtomicBoolean stop = new AtomicBoolean();
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    Thread writer =
        new Thread(
            () -> {
              Random random = new Random(5);
              try {
                while (!stop.get()) {
                  String key = "k" + (101 + random.nextInt(200));
                  if (random.nextInt(5) == 0) {
                    rows("delete from %s where id = '" + key + "'");
                    rows("select setval('versions_of_%1$s', nextval('versions_of_%1$s'))");
                    write(lastVersion(), Document.deleted(key));
                  } else {
                    rows(
                        "insert into %1$s values ('"
                            + key
                            + "', nextval('versions_of_%1$s'), 1) on conflict (id) do update set version = excluded.version");
                    write(lastVersion(), documents(List.of(key)).get(0));
                  }
                }
              } catch (RuntimeException | AssertionError e) {
                failure.set(e);
              }
            });
    writer.start();
    try {
      for (int round = 1; round <= 3; round++) {
        rows("update %s set version = 1 + version where id in ('k1', 'k2')");
        rows("insert into %s values ('new" + round + "', 1, 1)");
        rows("delete from %s where id = 'k" + (10 + round) + "'");
        Report report =
            Reconciliation.of(table, side)
                .settle(Duration.ofSeconds(3))
                .listBelow(4)
                .repair(SearchRepair.versionedByRow(index, this::documents))
                .deleteExtras()
                .build()
                .run();
        assertThat(found(report))
            .isEqualTo("EXTRA k%d, MISSING new%d, STALE k1, STALE k2".formatted(10 + round, round));
        assertThat(report.repairs().done()).isEqualTo(4);
      }
    } finally {
      stop.set(true);
      writer.join();
    }
    assertThat(failure.get()).isNull();
    assertThat(reconciliation().build().run().suspected()).isZero();
  }

  /** Of the one writer. */
  private long lastVersion() {
    try (Connection connection = POOL.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("select last_value from versions_of_%s".formatted(name))) {
      row.next();
      return row.getLong(1);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void theManualsIndexIsReconciled() throws InterruptedException {
    fill(20);
    rows("update %s set version = 2 where id = 'k4'");
    assertThat(reconcile(table, TestServers.engine(), name).repairs().done()).isEqualTo(1);
  }

  private static Report reconcile(PostgresSide orders, SearchEngine engine, String name)
      throws InterruptedException {
    // snippet:reconcile-search
    SearchIndex index = SearchIndex.of(engine, name).comparable(); // before it is made
    Repair repair =
        SearchRepair.versionedByRow(
            index,
            ids ->
                orders.rows(ids, List.of("n")).stream()
                    .map(
                        row ->
                            Document.of(row.entry().key(), row.json())
                                .comparedBy(row.entry().version()))
                    .toList());
    Report report =
        Reconciliation.of(orders, SearchSide.of(index, Versions.NUMBERS))
            .settle(Duration.ofSeconds(2))
            .repair(repair)
            .build()
            .run();
    // end
    return report;
  }
}
