package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.ConsumerParking.Held;
import dev.holdfast.inbox.store.ConsumerParking.Lane;
import dev.holdfast.inbox.store.ConsumerParking.Parked;
import dev.holdfast.inbox.store.OffsetStore.Partition;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What listeners of a queue rest on when they park and replay side by side. */
final class QueueParkingTest {
  private static final String CONSUMER = "shipping";
  private static final Partition QUEUE = Partition.ofQueue("jms", "orders");

  private final PostgresStore store =
      PostgresStore.open(TestDatabase.dataSource(), TestDatabase.newSchema());
  private final ConsumerParking parking = store.consumerParking();

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.offsets().register(CONSUMER);
    store.offsets().begin(CONSUMER, "orders", QUEUE.topicId(), Map.of(0, 0L));
  }

  private static Parked message(String lane, String id) {
    byte[] bytes = id.getBytes(StandardCharsets.UTF_8);
    return new Parked(QUEUE, 0, lane, null, 0, bytes, bytes, List.of());
  }

  private Held hold(String lane, String id, @Nullable String reason) {
    return parking.hold(CONSUMER, message(lane, id), reason, 100);
  }

  private List<String> ids(String lane) {
    return parking.first(CONSUMER, QUEUE, lane, 1_000).stream()
        .map(Parked::value)
        .map(value -> value == null ? "" : new String(value, StandardCharsets.UTF_8))
        .toList();
  }

  /** In a transaction that is committed, and gives up on a lock soon. */
  private static <T> T transact(Database.Work<T> work) throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        statement.execute("set local lock_timeout = 200");
        T result = work.run(connection);
        connection.commit();
        return result;
      } finally {
        connection.rollback();
        connection.setAutoCommit(true);
      }
    }
  }

  private boolean lock(Connection connection, String lane, boolean alone) throws SQLException {
    return parking.lock(connection, CONSUMER, QUEUE, lane, alone);
  }

  @Test
  void queueIsToldFromATopicByItsId() {
    assertThat(QUEUE.isQueue()).isTrue();
    assertThat(QUEUE).isEqualTo(Partition.ofQueue("jms", "orders"));
    assertThat(QUEUE).isNotEqualTo(Partition.ofQueue("rabbitmq", "orders"));
    assertThat(new Partition("orders", UUID.randomUUID(), 0).isQueue()).isFalse();
  }

  @Test
  void messageIsHeldOnceAndBehindOthersOnlyWhereItsLaneIsHeld() {
    assertThat(hold("k:a", "1", null)).isEqualTo(Held.FREE);
    assertThat(hold("k:a", "1", "no such customer")).isEqualTo(Held.NOW);
    assertThat(hold("k:a", "1", "no such customer")).isEqualTo(Held.BEFORE);
    assertThat(hold("k:a", "2", null)).isEqualTo(Held.NOW);
    assertThat(hold("k:b", "3", null)).isEqualTo(Held.FREE);
    assertThat(ids("k:a")).containsExactly("1", "2");
    assertThat(parking.all(CONSUMER, 10))
        .singleElement()
        .extracting(Lane::reason, Lane::records, Lane::first)
        .containsExactly("no such customer", 2L, 0L);
  }

  @Test
  void numbersAreDrawnInTheOrderOfCommitsAndTheBoundIsExact() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<Future<Held>> all = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      Parked message = message("k:" + i % 3, "m" + i);
      all.add(threads.submit(() -> parking.hold(CONSUMER, message, "no", 40)));
    }
    List<Held> held = new ArrayList<>();
    for (Future<Held> each : all) {
      held.add(each.get());
    }
    threads.shutdown();
    assertThat(held).filteredOn(each -> each == Held.NOW).hasSize(40);
    assertThat(held).filteredOn(each -> each == Held.FULL).hasSize(20);
    assertThat(parking.count(CONSUMER, 1_000)).isEqualTo(40);
  }

  @Test
  void whoParksWaitsForThoseWhoHandleAndTheyForWhoReplays() throws SQLException {
    transact(
        first -> {
          assertThat(lock(first, "k:a", false)).isFalse();
          transact(second -> lock(second, "k:a", false));
          transact(other -> lock(other, "k:b", true));
          assertThatThrownBy(() -> transact(alone -> lock(alone, "k:a", true)))
              .isInstanceOfSatisfying(
                  SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("55P03"));
          return true;
        });
    transact(
        alone -> {
          lock(alone, "k:a", true);
          assertThatThrownBy(() -> transact(shared -> lock(shared, "k:a", false)))
              .isInstanceOf(SQLException.class);
          return true;
        });
  }

  @Test
  void onlyTheFirstOfALaneThatIsReleasedIsTaken() throws SQLException {
    hold("k:a", "1", "no");
    hold("k:a", "2", null);
    assertThat(take(0)).as("nobody wants it").isFalse();
    assertThat(parking.release(CONSUMER, "orders", 0, "k:a", "test")).isTrue();
    assertThat(take(1)).as("the second").isFalse();
    assertThat(take(0)).isTrue();
    assertThat(take(0)).as("it is gone").isFalse();
    assertThat(parking.settle(CONSUMER, QUEUE, "k:a", null)).isFalse();

    parking.keep(CONSUMER, QUEUE, "k:a", 0, "of one that is gone");
    assertThat(parking.releasing(CONSUMER, QUEUE)).containsExactly("k:a");
    parking.keep(CONSUMER, QUEUE, "k:a", 1, "again");
    assertThat(parking.releasing(CONSUMER, QUEUE)).isEmpty();

    parking.release(CONSUMER, "orders", 0, "k:a", "test");
    assertThat(parking.settle(CONSUMER, QUEUE, "k:a", 1L)).as("it was handled before").isTrue();
    assertThat(hold("k:a", "3", null)).isEqualTo(Held.FREE);
    assertThat(hold("k:a", "4", "no")).isEqualTo(Held.NOW);
    assertThat(parking.first(CONSUMER, QUEUE, "k:a", 1).get(0).offset())
        .as("no number comes twice")
        .isEqualTo(2);
  }

  private boolean take(long offset) throws SQLException {
    return transact(
        connection -> {
          lock(connection, "k:a", true);
          return parking.take(connection, CONSUMER, QUEUE, "k:a", offset);
        });
  }
}
