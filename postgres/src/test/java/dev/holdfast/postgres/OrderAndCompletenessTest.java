package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.Page;
import dev.holdfast.postgres.ReadingReport.Read;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Order and completeness under writers that commit in another order than they record, read while
 * they write. The faulty readers of the design stand beside it: were the workload too tame to show
 * their faults, the sound reader's zeros would say nothing.
 */
final class OrderAndCompletenessTest {
  private static final int THREADS = 8;

  private final com.zaxxer.hikari.HikariDataSource pool =
      TestDatabase.pool(TestDatabase.server().jdbcUrl(), OutboxWorkload.connections(THREADS) + 6);
  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(pool, schema);

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.channels().register("c", List.of("orders.*"));
  }

  @AfterEach
  void end() {
    pool.close();
  }

  /** A reader that stops once the writers are done and nothing is left. */
  @FunctionalInterface
  private interface Reader {
    /** The next readings; empty when there is nothing to be had now. */
    List<Read> next() throws SQLException;
  }

  private static CompletableFuture<List<Read>> start(Reader reader, AtomicBoolean writersDone) {
    Supplier<List<Read>> loop =
        () -> {
          List<Read> all = new ArrayList<>();
          try {
            while (true) {
              boolean last = writersDone.get();
              List<Read> some = reader.next();
              all.addAll(some);
              if (last && some.isEmpty()) {
                return all;
              }
            }
          } catch (SQLException e) {
            throw new IllegalStateException(e);
          }
        };
    return CompletableFuture.supplyAsync(loop, task -> new Thread(task, "reader").start());
  }

  private OutboxWorkload runWith(
      long seed, boolean lockKeys, int transactions, AtomicBoolean writersDone)
      throws InterruptedException, ExecutionException, SQLException {
    OutboxWorkload workload = new OutboxWorkload(store, pool, schema, seed, lockKeys);
    try {
      workload.run(THREADS, transactions);
    } finally {
      writersDone.set(true);
    }
    return workload;
  }

  /** Holdfast's own, with pages far smaller than the windows. */
  private Reader windows(int pageRecords) {
    Cursor[] at = {store.channels().progress("c").cursor()};
    OutboxLog.Limit limit = new OutboxLog.Limit(pageRecords, 1 << 20);
    return () -> {
      List<Read> some = new ArrayList<>();
      Page page;
      do {
        page = store.log().read("c", at[0], limit, true);
        page.records()
            .forEach(r -> some.add(new Read(r.position(), r.id(), String.valueOf(r.key()))));
        at[0] = page.end();
      } while (page.hasNext());
      return some;
    };
  }

  /** Faulty: takes commits to come in the order of positions. */
  private Reader byPosition() {
    long[] last = {0};
    return () -> {
      List<Read> some =
          query("select position, id, key from %s.message where position > ? order by 1", last[0]);
      if (!some.isEmpty()) {
        last[0] = some.get(some.size() - 1).position();
      }
      return some;
    };
  }

  /** Faulty: waits for the oldest transaction, and takes keys to be taken in the order of ids. */
  private Reader byXidBelowOldest() {
    long[] settled = {0};
    return () -> {
      long oldest = oldest();
      List<Read> some =
          query(
              "select position, id, key from %s.message where xid >= ?::text::xid8"
                  + " and xid < ?::text::xid8 order by xid, position",
              settled[0], oldest);
      settled[0] = oldest;
      return some;
    };
  }

  private long oldest() throws SQLException {
    try (Connection connection = pool.getConnection();
        PreparedStatement statement =
            connection.prepareStatement(
                "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint");
        ResultSet rows = statement.executeQuery()) {
      rows.next();
      return rows.getLong(1);
    }
  }

  private List<Read> query(String sql, Object... parameters) throws SQLException {
    try (Connection connection = pool.getConnection();
        PreparedStatement statement = connection.prepareStatement(sql.formatted(schema))) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      List<Read> some = new ArrayList<>();
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          some.add(new Read(rows.getLong(1), rows.getObject(2, UUID.class), rows.getString(3)));
        }
      }
      return some;
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  @Attacks({"outbox.order", "outbox.delivery.none-lost"})
  void nothingIsLostRepeatedOrInvertedAndTheFaultyReadersAreFoundOut(long seed) throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    CompletableFuture<List<Read>> sound = start(windows(7), done);
    CompletableFuture<List<Read>> wide = start(windows(5_000), done);
    CompletableFuture<List<Read>> byPosition = start(byPosition(), done);
    CompletableFuture<List<Read>> byXid = start(byXidBelowOldest(), done);

    OutboxWorkload workload = runWith(seed, true, 150, done);

    assertThat(workload.committed.size()).as("messages, seed %d", seed).isGreaterThan(2_000);
    assertThat(workload.rolledBack.size()).as("rolled back").isGreaterThan(300);
    assertThat(ReadingReport.of(sound.get(), workload.committed))
        .as("windows in small pages, seed %d", seed)
        .isEqualTo(ReadingReport.CLEAN);
    assertThat(ReadingReport.of(wide.get(), workload.committed))
        .as("windows in one page each, seed %d", seed)
        .isEqualTo(ReadingReport.CLEAN);
    assertThat(ReadingReport.of(byPosition.get(), workload.committed).lost())
        .as("lost by a reader of position > last, seed %d", seed)
        .isPositive();
    assertThat(ReadingReport.of(byXid.get(), workload.committed).inverted())
        .as("inverted by a reader in the order of transaction ids, seed %d", seed)
        .isPositive();
  }

  @Test
  void withoutTheKeysLockTheOrderOfAKeyIsLost() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    CompletableFuture<List<Read>> reader = start(windows(5_000), done);
    OutboxWorkload workload = runWith(3, false, 100, done);
    ReadingReport report = ReadingReport.of(reader.get(), workload.committed);
    assertThat(report.inverted()).as("inverted, seed 3").isPositive();
    assertThat(report.lost()).isZero();
    assertThat(report.duplicate()).isZero();
  }
}
