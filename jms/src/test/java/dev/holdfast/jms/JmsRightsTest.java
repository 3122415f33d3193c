package dev.holdfast.jms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.TargetUnavailable;
import dev.holdfast.outbox.store.OutboxRecord;
import jakarta.jms.ConnectionFactory;
import java.io.IOException;
import java.net.ServerSocket;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.security.CheckType;
import org.apache.activemq.artemis.core.security.Role;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.apache.activemq.artemis.spi.core.protocol.RemotingConnection;
import org.apache.activemq.artemis.spi.core.security.ActiveMQSecurityManager2;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a broker forbids is the message's fault; whom it does not let in waits. */
final class JmsRightsTest {
  private static final String FORBIDDEN = "forbidden.";
  private static final Target.Context CONTEXT = new Target.Context("orders", "scope");
  private static final EmbeddedActiveMQ SERVER = new EmbeddedActiveMQ();
  private static int port;

  @BeforeAll
  static void startServer() throws Exception {
    port = freePort();
    ConfigurationImpl configuration = new ConfigurationImpl();
    configuration.setPersistenceEnabled(false);
    configuration.addAcceptorConfiguration("tcp", "tcp://127.0.0.1:" + port);
    configuration.addAddressSetting("#", new AddressSettings().setAutoDeleteQueues(false));
    SERVER.setConfiguration(configuration);
    SERVER.setSecurityManager(new Guard());
    SERVER.start();
  }

  private static int freePort() throws IOException {
    try (ServerSocket free = new ServerSocket(0)) {
      return free.getLocalPort();
    }
  }

  @AfterAll
  static void stopServer() throws Exception {
    SERVER.stop();
  }

  /** Lets one user in, who may do anything but send to what is forbidden. */
  private static final class Guard implements ActiveMQSecurityManager2 {
    @Override
    public boolean validateUser(String user, String password) {
      return "orders".equals(user) && "let-me-in".equals(password);
    }

    @Override
    public boolean validateUser(String user, String password, X509Certificate[] certificates) {
      return validateUser(user, password);
    }

    @Override
    public boolean validateUserAndRole(
        String user, String password, Set<Role> roles, CheckType type) {
      return validateUser(user, password);
    }

    @Override
    public boolean validateUserAndRole(
        String user,
        String password,
        Set<Role> roles,
        CheckType type,
        String address,
        RemotingConnection connection) {
      return validateUser(user, password)
          && !(type == CheckType.SEND && address.startsWith(FORBIDDEN));
    }
  }

  private static ConnectionFactory client(String password) {
    return new ActiveMQConnectionFactory(
        "tcp://127.0.0.1:" + port + "?callTimeout=3000", "orders", password);
  }

  private static OutboxRecord message(long position, String topic, String key) {
    return new OutboxRecord(
        position,
        OutboxRecord.Kind.MESSAGE,
        UUID.randomUUID(),
        topic,
        key,
        "t",
        "text/plain",
        new byte[] {1},
        Map.of(),
        null,
        0);
  }

  @Test
  void aMessageThatMayNotBeSentIsRefusedAndTheOthersAreDelivered() {
    OutboxRecord allowed = message(1, "allowed", "a");
    OutboxRecord forbidden = message(2, FORBIDDEN + "queue", "b");
    try (TargetSession session = Jms.to(client("let-me-in")).open(CONTEXT)) {
      Delivery.Refused refused = (Delivery.Refused) session.send(List.of(allowed, forbidden), "p");
      assertThat(refused.refused()).containsOnlyKeys(forbidden.position());
      assertThat(refused.delivered()).containsExactly(allowed.position());
    }
  }

  @Test
  void aWrongPasswordIsAnOutageAndIsNotPrinted() {
    assertThatThrownBy(() -> Jms.to(client("wrong-secret")).open(CONTEXT))
        .isInstanceOf(TargetUnavailable.class)
        .satisfies(
            thrown ->
                assertThat(thrown.getMessage())
                    .contains("messages wait")
                    .doesNotContain("wrong-secret"));
  }
}
