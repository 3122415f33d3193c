package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Delayed messages that come due beside transactions that hold their keys. */
final class DelayedMessagesTest {
  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);
  private Cursor start = Cursor.at("");
  private Lease upkeep;

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.channels().register("c", List.of("orders"));
    start = store.channels().progress("c").cursor();
    upkeep = store.leases().tryAcquire("upkeep", "me", Duration.ofHours(1)).orElseThrow();
  }

  private static Connection transaction() throws SQLException {
    Connection connection = TestDatabase.dataSource().getConnection();
    connection.setAutoCommit(false);
    return connection;
  }

  private void publish(Connection connection, Message message) throws SQLException {
    store.writer().publish(connection, "op", List.of(message));
  }

  private void delay(String key, String value, Duration by) throws SQLException {
    try (Connection connection = transaction()) {
      publish(
          connection,
          Message.to("orders").key(key).json(value).deliverAt(Instant.now().plus(by)).build());
      connection.commit();
    }
  }

  private List<String> read(String key) {
    return store
        .log()
        .read("c", start, new OutboxLog.Limit(50_000, 1 << 24), true)
        .records()
        .stream()
        .filter(record -> key.equals(record.key()))
        .map(OutboxRecord::payload)
        .map(bytes -> new String(Objects.requireNonNull(bytes), StandardCharsets.UTF_8))
        .toList();
  }

  private int moveDue() {
    try {
      return CompletableFuture.supplyAsync(() -> store.upkeep().moveDue(upkeep, 100))
          .get(20, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aKeyThatIsHeldDelaysItsOwnMessagesAlone() throws SQLException {
    try (Connection held = transaction()) {
      publish(held, Message.of("orders", "held", "1"));
      // Long enough not to be due when they are published: then they would wait for the key.
      delay("held", "2", Duration.ofMillis(1_500));
      delay("held", "3", Duration.ofMillis(1_520));
      delay("free", "1", Duration.ofMillis(1_540));
      await().until(() -> moveDue() == 1);
      assertThat(read("free")).containsExactly("1");
      assertThat(moveDue()).isZero();
      held.commit();
    }
    assertThat(moveDue()).isEqualTo(2);
    assertThat(read("held")).containsExactly("1", "2", "3");
  }

  @Test
  @Attacks("outbox.delayed")
  void aKeyThatIsNeverFreeForLongGetsItsTurn() throws SQLException {
    AtomicBoolean done = new AtomicBoolean();
    ExecutorService publishers = Executors.newFixedThreadPool(4);
    try {
      for (int i = 0; i < 4; i++) {
        publishers.execute(() -> publishUntil(done));
      }
      delay("busy", "delayed", Duration.ofMillis(50));
      await().atMost(Duration.ofMinutes(2)).until(() -> moveDue() == 1);
    } finally {
      done.set(true);
      publishers.shutdown();
    }
    assertThat(read("busy")).containsOnlyOnce("delayed");
  }

  private void publishUntil(AtomicBoolean done) {
    try (Connection connection = transaction()) {
      while (!done.get()) {
        publish(connection, Message.of("orders", "busy", "{}"));
        connection.commit();
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
