package dev.holdfast.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.GetResponse;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
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
@Tag("rabbitmq")
final class OutboxToRabbitMqTest {
  private static final int KEYS = 5;
  private static final int PER_KEY = 120;

  @Test
  void aBrokerThatIsKilledUnderLoadLosesNothingAndKeepsTheOrderOfEachKey() {
    String queue = TestServers.queue("orders", Map.of("x-queue-type", "quorum"));
    try (HikariDataSource pool = TestServers.pool();
        Holdfast holdfast =
            Holdfast.on(pool)
                .schema(TestServers.unique("killed"))
                .channel("orders", RabbitMq.to(TestServers.client(), ""), queue)
                .start()) {
      for (int i = 0; i < PER_KEY; i++) {
        String number = "\"%03d\"".formatted(i);
        holdfast.transact(
            tx -> {
              for (int key = 0; key < KEYS; key++) {
                tx.publish(Message.of(queue, "k" + key, number));
              }
            });
        if (i == 40 || i == 80) {
          TestServers.Rabbit.SERVER.kill();
          TestServers.Rabbit.SERVER.restart();
        }
      }
      Set<String> ids = new LinkedHashSet<>();
      Map<String, Set<String>> firstsByKey = new LinkedHashMap<>();
      await()
          .atMost(Duration.ofSeconds(90))
          .untilAsserted(
              () -> {
                take(queue, ids, firstsByKey);
                assertThat(ids).hasSize(KEYS * PER_KEY);
              });
      assertThat(firstsByKey)
          .hasSize(KEYS)
          .allSatisfy(
              (key, values) -> assertThat(new ArrayList<>(values)).hasSize(PER_KEY).isSorted());
      assertThat(holdfast.store().parking().list("orders", 1))
          .as("an outage parks nothing")
          .isEmpty();
    }
  }

  private static void take(String queue, Set<String> ids, Map<String, Set<String>> firstsByKey) {
    List<GetResponse> taken = TestServers.drain(queue);
    for (GetResponse each : taken) {
      ids.add(each.getProps().getMessageId());
      String key = String.valueOf(each.getProps().getHeaders().get("cloudEvents_partitionkey"));
      firstsByKey.computeIfAbsent(key, none -> new LinkedHashSet<>()).add(TestServers.body(each));
    }
  }

  @Test
  void aMessageThatNoQueueGetsIsParkedWithTheLaterOnesOfItsKey() {
    String queue = TestServers.queue("there");
    String missing = TestServers.unique("nowhere");
    try (HikariDataSource pool = TestServers.pool();
        Holdfast holdfast =
            Holdfast.on(pool)
                .schema(TestServers.unique("missing"))
                .channel("all", RabbitMq.to(TestServers.client(), ""), queue, missing)
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
      await().untilAsserted(() -> assertThat(TestServers.waiting(queue)).isEqualTo(1));
      assertThat(TestServers.bodies(queue)).containsExactly("3");
    }
  }
}
