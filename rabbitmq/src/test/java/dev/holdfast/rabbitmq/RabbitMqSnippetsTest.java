package dev.holdfast.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.ConnectionFactory;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.inbox.InboxSettings;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The code of {@code docs/rabbitmq.md}. */
@Tag("rabbitmq")
final class RabbitMqSnippetsTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @Test
  void theCodeOfTheManualDeliversAndReceives() {
    TestServers.execute("create table shop_shipment (id text primary key)");
    String queue = TestServers.queue("shipping");
    String exchange = TestServers.unique("shop");
    TestServers.onChannel(
        channel -> {
          channel.exchangeDeclare(exchange, "topic", true);
          return channel.queueBind(queue, exchange, "orders.*");
        });
    ConnectionFactory connectionFactory = TestServers.client();
    try (HikariDataSource dataSource = TestServers.pool();
        Holdfast holdfast = start(dataSource, connectionFactory, exchange);
        RabbitMqInbox listener = listen(holdfast, connectionFactory, queue)) {
      holdfast.transact(tx -> tx.publish(Message.of("orders.placed", "order-1", "{}")));
      await()
          .atMost(LONG)
          .untilAsserted(() -> assertThat(listener.status().handled()).isEqualTo(1));
      assertThat(TestServers.ids("shop_shipment")).containsExactly("order-1");
    }
  }

  private static Holdfast start(
      DataSource dataSource, ConnectionFactory connectionFactory, String exchange) {
    // snippet:rabbitmq-start
    Holdfast holdfast =
        Holdfast.on(dataSource)
            .channel("orders", RabbitMq.to(connectionFactory, exchange), "orders.*")
            .start();
    // end
    return holdfast;
  }

  private static RabbitMqInbox listen(
      Holdfast holdfast, ConnectionFactory connectionFactory, String queue) {
    // snippet:rabbitmq-inbox
    RabbitMqInbox shipping =
        RabbitMqInbox.start(
            connectionFactory,
            queue,
            holdfast.inbox("shipping", InboxSettings.DEFAULT),
            RabbitMqInboxSettings.deadLetteringTo(RabbitMqRoute.toQueue("orders.dead")),
            (tx, message) -> {
              Object order = message.getProperties().getHeaders().get("cloudEvents_partitionkey");
              tx.update("insert into shop_shipment (id) values (?)", String.valueOf(order));
            });
    // end
    return shipping;
  }

  @Test
  void parkingIsASettingOfTheListener() {
    // snippet:rabbitmq-parking
    RabbitMqInboxSettings settings =
        RabbitMqInboxSettings.deadLetteringTo(RabbitMqRoute.toQueue("orders.dead"))
            .withParking(RabbitMqParking.DEFAULT.withMaxParked(1_000));
    // end
    assertThat(settings.parking()).isNotNull();
    assertThat(settings.deadLetter()).isNotNull();
  }
}
