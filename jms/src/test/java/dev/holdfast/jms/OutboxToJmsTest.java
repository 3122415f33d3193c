package dev.holdfast.jms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.devservices.ArtemisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A channel from PostgreSQL to a broker that is killed under load, and that lacks a queue. */
final class OutboxToJmsTest {
  private static final int KEYS = 5;
  private static final int PER_KEY = 120;

  @Tag("long")
  @Test
  void aBrokerThatIsKilledUnderLoadLosesNothingAndKeepsTheOrderOfEachKey() {
    String queue = TestServers.unique("orders");
    try (HikariDataSource pool = TestServers.pool();
        Holdfast holdfast =
            Holdfast.on(pool)
                .schema(TestServers.unique("killed"))
                .channel("orders", Jms.to(TestServers.client()), queue)
                .start()) {
      for (int i = 0; i < PER_KEY; i++) {
        String number = "\"%03d\"".formatted(i);
        holdfast.transact(
            tx -> {
              for (int key = 0; key < KEYS; key++) {
                tx.publish(Message.of(queue, "k" + key, number));
              }
            });
        if (i % 40 == 20) {
          TestServers.ARTEMIS.kill();
          TestServers.ARTEMIS.restart();
        }
      }
      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(() -> assertThat(ids(queue)).hasSize(KEYS * PER_KEY));
      assertThat(firsts(queue)).hasSize(KEYS).allSatisfy((key, values) -> assertInOrder(values));
      assertThat(holdfast.store().parking().list("orders", 1))
          .as("an outage parks nothing")
          .isEmpty();
    }
  }

  private static Set<String> ids(String queue) {
    Set<String> ids = new LinkedHashSet<>();
    TestServers.browse(queue).forEach(each -> ids.add(TestServers.property(each, Encoder.ID)));
    return ids;
  }

  /** What came of each key, for the first time each. */
  private static Map<String, Set<String>> firsts(String queue) {
    Map<String, Set<String>> byKey = new LinkedHashMap<>();
    TestServers.browse(queue)
        .forEach(
            each ->
                byKey
                    .computeIfAbsent(
                        TestServers.property(each, "cloudEvents_partitionkey"),
                        key -> new LinkedHashSet<>())
                    .add(TestServers.body(each)));
    return byKey;
  }

  private static void assertInOrder(Set<String> values) {
    List<String> inOrder = new ArrayList<>(values);
    assertThat(inOrder).hasSize(PER_KEY).isSorted();
  }

  @Test
  void aMessageForAQueueThatIsNotThereIsParkedWithTheLaterOnesOfItsKey() {
    String queue = TestServers.unique("there");
    String missing = ArtemisServer.NOT_CREATED + TestServers.unique("queue");
    try (HikariDataSource pool = TestServers.pool();
        Holdfast holdfast =
            Holdfast.on(pool)
                .schema(TestServers.unique("missing"))
                .channel("all", Jms.to(TestServers.client()), queue, missing)
                .start()) {
      holdfast.transact(
          tx -> {
            tx.publish(Message.of(missing, "a", "1"));
            tx.publish(Message.of(queue, "a", "2"));
            tx.publish(Message.of(queue, "b", "3"));
          });
      await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(() -> assertThat(holdfast.store().parking().list("all", 10)).hasSize(2));
      await().untilAsserted(() -> assertThat(TestServers.bodies(queue)).containsExactly("3"));
    }
  }
}
