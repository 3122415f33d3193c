package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What operators and leaders do to a parked key at once. */
final class ParkingTest {
  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);
  private Cursor start = Cursor.at("");
  private Lease leader;

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.channels().register("c", List.of("orders"));
    start = store.channels().progress("c").cursor();
    leader = store.leases().tryAcquire("channel/c", "me", Duration.ofHours(1)).orElseThrow();
  }

  private void publish(String key, int count) throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      for (int i = 0; i < count; i++) {
        store.writer().publish(connection, "op", List.of(Message.of("orders", key, "{}")));
      }
      connection.commit();
    }
  }

  private List<OutboxRecord> rows() {
    return store.log().read("c", start, new OutboxLog.Limit(100, 1 << 20), true).records();
  }

  private long orderReplay() {
    store.parking().orderUnpark("c", "k:a", "test");
    List<OutboxRecord> all = rows();
    return all.get(all.size() - 1).position();
  }

  /** The leader dies between the target's commit of what went through and its deletion here. */
  @Test
  @Attacks("outbox.recovery.parking")
  void whatAReplayDeliveredIsNotReplayedByOneOrderedBeforeItWasFinished() throws SQLException {
    publish("a", 3);
    List<OutboxRecord> messages = rows();
    long first = messages.get(0).position();
    long second = messages.get(1).position();
    store.parking().park(leader, "c", Map.of("k:a", "r"), Map.of("k:a", first), messages);
    long control = orderReplay();
    store.parking().parkAgain(leader, "c", "k:a", control, second, "again");
    long next = orderReplay();
    Cursor passed = new Cursor(start.from(), "900000:900000:", control, 0);

    assertThat(store.parking().finishReleasesBefore(leader, "c", passed)).isTrue();

    assertThat(store.parking().releasable("c", "k:a", next, 0, 10))
        .extracting(OutboxRecord::position)
        .containsExactly(second, messages.get(2).position());
  }
}
