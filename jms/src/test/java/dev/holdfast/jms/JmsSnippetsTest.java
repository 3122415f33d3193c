package dev.holdfast.jms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.inbox.InboxSettings;
import jakarta.jms.ConnectionFactory;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** The code of {@code docs/jms.md}. */
final class JmsSnippetsTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @Test
  void theCodeOfTheManualDeliversAndReceives() {
    TestServers.execute("create table shop_shipment (id text primary key)");
    ConnectionFactory connectionFactory = TestServers.client();
    try (HikariDataSource dataSource = TestServers.pool();
        Holdfast holdfast = start(dataSource, connectionFactory);
        JmsInbox listener = listen(holdfast, connectionFactory)) {
      holdfast.transact(tx -> tx.publish(Message.of("orders.placed", "order-1", "{}")));
      await()
          .atMost(LONG)
          .untilAsserted(() -> assertThat(listener.status().handled()).isEqualTo(1));
      assertThat(TestServers.ids("shop_shipment")).containsExactly("order-1");
    }
  }

  private static Holdfast start(DataSource dataSource, ConnectionFactory connectionFactory) {
    // snippet:jms-start
    Holdfast holdfast =
        Holdfast.on(dataSource)
            .channel("orders", Jms.to(connectionFactory).named("orders broker"), "orders.*")
            .start();
    // end
    return holdfast;
  }

  private static JmsInbox listen(Holdfast holdfast, ConnectionFactory connectionFactory) {
    // snippet:jms-inbox
    JmsInbox shipping =
        JmsInbox.start(
            connectionFactory,
            JmsDestination.queue("orders.placed"),
            holdfast.inbox("shipping", InboxSettings.DEFAULT),
            JmsInboxSettings.DEFAULT.withDeadLetter(JmsDestination.queue("orders.dead"), 5),
            (tx, message) -> {
              String order = message.getStringProperty("cloudEvents_partitionkey");
              tx.update("insert into shop_shipment (id) values (?)", order);
            });
    // end
    return shipping;
  }

  @Test
  void topicsGroupsAndDeduplicationAreOptionsOfTheTarget() {
    ConnectionFactory connectionFactory = TestServers.client();
    // snippet:jms-options
    JmsTarget target =
        Jms.to(connectionFactory)
            .destinations(topic -> JmsDestination.topic("shop." + topic))
            .messageGroups(256)
            .maxBytes(4 * 1024 * 1024)
            .artemisDeduplication(Duration.ofMinutes(5));
    // end
    assertThat(target.kind()).isEqualTo("jms (artemis, deduplicating)");
  }

  @Test
  void parkingIsASettingOfTheListener() {
    // snippet:jms-parking
    JmsInboxSettings settings =
        JmsInboxSettings.DEFAULT
            .withDeadLetter(JmsDestination.queue("orders.dead"), 5)
            .withParking(JmsParking.DEFAULT.withMaxParked(1_000), 3);
    // end
    assertThat(settings.attempts()).isEqualTo(3);
    assertThat(settings.parking()).isNotNull();
    assertThat(settings.deadLetter()).isNotNull();
  }
}
