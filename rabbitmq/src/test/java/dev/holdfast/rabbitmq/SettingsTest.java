package dev.holdfast.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.ConnectionFactory;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Capability;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetUnavailable;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What needs no broker. */
final class SettingsTest {
  private static ConnectionFactory factory(int port) {
    ConnectionFactory factory = new ConnectionFactory();
    factory.setHost("127.0.0.1");
    factory.setPort(port);
    factory.setUsername("orders");
    factory.setPassword("secret-word");
    return factory;
  }

  @Test
  void whatPeopleReadHasNeitherUserNorPassword() {
    RabbitMqTarget target = RabbitMq.to(factory(5672), "shop");
    assertThat(target.description()).isEqualTo("rabbitmq 127.0.0.1:5672 /");
    assertThat(target.toString()).doesNotContain("secret-word").doesNotContain("orders");
  }

  @Test
  void whatIsDeclaredIsWhatIsDone() {
    RabbitMqTarget target = RabbitMq.to(factory(5672), "shop");
    assertThat(target.capabilities()).containsExactly(Capability.ORDER_PER_KEY);
    assertThat(target.acknowledgment()).isEqualTo(Acknowledgment.PERSISTED);
    assertThat(target.assumptions())
        .extracting(each -> each.id())
        .containsExactly(
            "rabbitmq.durable-queues", "rabbitmq.all-bindings", "rabbitmq.one-consumer-per-key");
  }

  @Test
  void aFactoryThatIsChangedLaterChangesNothing() {
    ConnectionFactory mine = factory(5672);
    RabbitMqTarget target = RabbitMq.to(mine, "shop");
    mine.setPort(1);
    assertThat(target.description()).contains("5672");
    assertThat(mine.isAutomaticRecoveryEnabled()).as("it is left as it was").isTrue();
  }

  @Test
  void aBrokerThatIsNotThereIsUnavailable() throws IOException {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    RabbitMqTarget target = RabbitMq.to(factory(port), "shop");
    assertThatThrownBy(() -> target.open(new Target.Context("orders", "scope")))
        .isInstanceOf(TargetUnavailable.class)
        .hasMessageContaining("tried again");
  }

  @Test
  void settingsOutsideTheirBoundsAreRefused() {
    RabbitMqInboxSettings settings = RabbitMqInboxSettings.rejecting();
    assertThatThrownBy(() -> settings.withConcurrency(0)).isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> settings.withPrefetch(1001)).isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> settings.withAttempts(0)).isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> settings.withClosingWait(Duration.ofHours(2)))
        .isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> new RabbitMqRoute("e", "k".repeat(256)))
        .isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(
            () -> RabbitMq.to(factory(5672), "shop").confirmTimeout(Duration.ofMillis(1)))
        .isInstanceOf(InvalidConfiguration.class);
  }
}
