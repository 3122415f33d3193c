package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.StoreClock;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.Page;
import dev.holdfast.outbox.store.Upkeep;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Segments are turned and emptied as fast as it goes, while writers write, one channel reads and
 * another lags behind, and a dump holds its locks. The store's time runs twenty-one times as fast.
 */
final class RotationTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final Duration LONG = Duration.ofDays(30);
  private static final int WRITERS = 4;
  private static final OutboxLog.Limit PAGE = new OutboxLog.Limit(100, 1 << 20);

  private final HikariDataSource pool = TestDatabase.pool(TestDatabase.server().jdbcUrl(), 20);
  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(pool, schema);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Set<UUID> committed = ConcurrentHashMap.newKeySet();
  private final AtomicInteger emptied = new AtomicInteger();
  private final AtomicInteger rotations = new AtomicInteger();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private volatile boolean writing = true;
  private volatile boolean working = true;
  private StoreClock clock;
  private Channel fast;
  private Channel slow;

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.upkeep().configure(new Upkeep.Settings(Duration.ZERO, null, null));
    clock = StoreClock.of(pool, schema);
    clock.accelerate(21);
    fast = new Channel("fast");
    slow = new Channel("slow");
  }

  @AfterEach
  void end() throws InterruptedException {
    writing = false;
    working = false;
    threads.shutdown();
    assertThat(threads.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    clock.close();
    pool.close();
  }

  /** Reads unless its gate is held; its progress is the store's. */
  private final class Channel {
    final String name;
    final Lease lease;
    final List<UUID> read = new ArrayList<>();
    final ReentrantLock gate = new ReentrantLock();
    private Cursor at;

    Channel(String name) {
      this.name = name;
      store.channels().register(name, List.of("orders"));
      this.lease = store.leases().tryAcquire("channel/" + name, "me", LONG).orElseThrow();
      this.at = store.channels().progress(name).cursor();
    }

    int step() {
      gate.lock();
      try {
        return read();
      } finally {
        gate.unlock();
      }
    }

    private int read() {
      Page page = store.log().read(name, at, PAGE, true);
      page.records().stream().map(OutboxRecord::id).forEach(read::add);
      at = page.end();
      assertThat(store.channels().saveProgress(lease, name, at, "r")).isTrue();
      return page.records().size() + (page.hasNext() ? 1 : 0);
    }

    int count() {
      gate.lock();
      try {
        return read.size();
      } finally {
        gate.unlock();
      }
    }
  }

  @FunctionalInterface
  private interface Work {
    void run() throws SQLException;
  }

  private void run(Work work) {
    threads.execute(
        () -> {
          try {
            work.run();
          } catch (SQLException | RuntimeException | AssertionError e) {
            failure.compareAndSet(null, e);
          }
        });
  }

  private void start(PostgresStore upkeep) {
    for (int i = 0; i < WRITERS; i++) {
      Random random = new Random(i);
      run(() -> write(random));
    }
    for (Channel channel : List.of(fast, slow)) {
      run(
          () -> {
            while (working) {
              channel.step();
            }
          });
    }
    Lease lease = store.leases().tryAcquire("upkeep", "me", LONG).orElseThrow();
    run(
        () -> {
          while (working) {
            emptied.addAndGet(upkeep.upkeep().rotate(lease));
            rotations.incrementAndGet();
          }
        });
  }

  private void write(Random random) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(false);
      while (writing) {
        List<Message> messages = new ArrayList<>();
        for (int i = random.nextInt(3); i >= 0; i--) {
          messages.add(Message.of("orders", "k" + random.nextInt(20), "{}"));
        }
        store.writer().publish(connection, "op", messages);
        if (random.nextInt(6) == 0) {
          connection.rollback();
        } else {
          connection.commit();
          messages.forEach(message -> committed.add(message.id()));
        }
      }
    }
  }

  private void awaitMore(AtomicInteger counter, int more) {
    int enough = counter.get() + more;
    await().atMost(SOON).until(() -> counter.get() >= enough || failure.get() != null);
    assertThat(failure.get()).isNull();
  }

  private void awaitMoreCommitted(int more) {
    int enough = committed.size() + more;
    await().atMost(SOON).until(() -> committed.size() >= enough);
  }

  /** What a channel has not read of what was committed; nothing is read twice. */
  private Set<UUID> missing(Channel channel) {
    writing = false;
    await().atMost(SOON).until(() -> channel.step() == 0);
    working = false;
    assertThat(channel.read).doesNotHaveDuplicates();
    Set<UUID> missing = new HashSet<>(committed);
    channel.read.forEach(missing::remove);
    assertThat(failure.get()).isNull();
    return missing;
  }

  private void lag() {
    slow.gate.lock();
    try {
      int before = fast.count();
      awaitMore(rotations, 30);
      await().atMost(SOON).until(() -> fast.count() > before + 200);
      awaitMore(rotations, 30);
    } finally {
      slow.gate.unlock();
    }
  }

  @Test
  @Attacks({"outbox.durability", "outbox.delivery.none-lost"})
  void nothingIsLostThoughAChannelLagsAndADumpHoldsItsLocks() throws SQLException {
    start(store);
    awaitMore(emptied, 3);
    lag();
    awaitMore(emptied, 1);
    try (Connection dump = pool.getConnection();
        Statement statement = dump.createStatement()) {
      dump.setAutoCommit(false);
      dump.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      statement.execute(
          "lock table %1$s.message_0, %1$s.message_1, %1$s.message_2 in access share mode"
              .formatted(schema));
      // A rotation that began before may still end; then nobody waits, and nothing is emptied.
      awaitMore(rotations, 2);
      int before = emptied.get();
      awaitMore(rotations, 30);
      awaitMoreCommitted(200);
      assertThat(emptied).hasValue(before);
      dump.rollback();
    }
    awaitMore(emptied, 2);
    assertThat(missing(fast)).as("missing in the fast channel").isEmpty();
    assertThat(missing(slow)).as("missing in the slow channel").isEmpty();
  }

  @Test
  void aRotationThatAsksOneChannelAloneLosesMessagesOfTheOther() {
    String all = "from " + schema + ".progress order by 1 limit 1";
    String one = "from " + schema + ".progress where channel = 'fast' limit 1";
    start(PostgresStore.open(SqlHook.replacing(pool, all, one), schema));
    awaitMore(emptied, 1);
    slow.gate.lock();
    try {
      awaitMore(emptied, 3);
    } finally {
      slow.gate.unlock();
    }
    assertThat(missing(slow)).isNotEmpty();
  }
}
