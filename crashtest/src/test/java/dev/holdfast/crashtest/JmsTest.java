package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.effect;
import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.CommitPoint;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Verdict;
import jakarta.jms.Connection;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Queue;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import java.net.ServerSocket;
import java.sql.SQLException;
import java.util.Enumeration;
import java.util.List;
import javax.sql.DataSource;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Operations on a JMS queue. */
final class JmsTest {
  private static final EmbeddedActiveMQ SERVER = new EmbeddedActiveMQ();
  private static int port;

  private String orders = "";
  private String queue = "";

  @BeforeAll
  static void startServer() throws Exception {
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    ConfigurationImpl configuration = new ConfigurationImpl();
    configuration.setPersistenceEnabled(false);
    configuration.setSecurityEnabled(false);
    configuration.addAcceptorConfiguration("tcp", "tcp://127.0.0.1:" + port);
    configuration.addAddressSetting(
        "#", new AddressSettings().setAutoDeleteQueues(false).setAutoDeleteAddresses(false));
    SERVER.setConfiguration(configuration);
    SERVER.start();
  }

  @AfterAll
  static void stopServer() throws Exception {
    SERVER.stop();
  }

  @BeforeEach
  void resources() {
    orders = LabServers.keyedTable("orders");
    queue = LabServers.unique("placed");
  }

  private record Shop(DataSource dataSource, ConnectionFactory jms, String queue) {

    void announce(String key) throws JMSException {
      try (Connection connection = jms.createConnection();
          Session session = connection.createSession(true, Session.SESSION_TRANSACTED)) {
        Message message = session.createTextMessage("placed");
        message.setJMSCorrelationID(key);
        session.createProducer(session.createQueue(queue)).send(message);
        session.commit();
      }
    }

    void announceAtOnce(String key) {
      try (JMSContext context = jms.createContext()) {
        context
            .createProducer()
            .setJMSCorrelationID(key)
            .send(context.createQueue(queue), "placed");
      }
    }

    void save(String table, String key) throws SQLException {
      try (java.sql.Connection connection = dataSource.getConnection()) {
        TwoTables.insertOnce(connection, table, key);
      }
    }

    /** Takes the message and saves it; acknowledges it by itself. */
    void takeAndSave(String table, String key) throws JMSException, SQLException {
      try (Connection connection = jms.createConnection();
          Session session = connection.createSession(Session.CLIENT_ACKNOWLEDGE);
          MessageConsumer consumer = session.createConsumer(session.createQueue(queue))) {
        connection.start();
        Message message = consumer.receive(5_000);
        if (message != null) {
          assertThat(message.getJMSCorrelationID()).isEqualTo(key);
          save(table, key);
          message.acknowledge();
        }
      }
    }
  }

  @Test
  void announcingAfterSavingLosesTheMessageAndTheTransactionIsThePoint() {
    ExplorationReport report =
        explore(
            (shop, key) -> {
              shop.save(orders, key);
              shop.announce(key);
            });
    assertThat(report.points())
        .extracting(CommitPoint::role)
        .extracting(role -> role.resource() + ": " + role.action() + " " + role.detail())
        .last()
        .isEqualTo("jms: commit " + queue);
    assertThat(failed(report))
        .extracting(run -> run.replayId().replaceAll("-[0-9a-f]{4}:.*", ""))
        .containsExactly("fenced:ack-lost@1", "fenced:before@2", "lost-ack:ack-lost@1");
    assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.LOST);
  }

  @Test
  void announcingFirstInventsTheMessageAndASendAloneIsAPoint() {
    ExplorationReport report =
        explore(
            (shop, key) -> {
              shop.announceAtOnce(key);
              shop.save(orders, key);
            });
    assertThat(report.points().get(0).role().action()).isEqualTo("send");
    assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.PHANTOM);
  }

  @Test
  void aMessageThatIsAcknowledgedAfterItsEffectIsHandledInTheEnd() {
    ExplorationReport report =
        CrashLab.explore(
            "take",
            CrashLab.Options.defaults(),
            lab ->
                lab.application(this::start)
                    .given(this::put)
                    .operation((shop, key) -> shop.takeAndSave(orders, key))
                    .recover(
                        shop -> {
                          try (Connection connection = shop.jms().createConnection();
                              Session session =
                                  connection.createSession(Session.CLIENT_ACKNOWLEDGE);
                              MessageConsumer consumer =
                                  session.createConsumer(session.createQueue(queue))) {
                            connection.start();
                            Message left = consumer.receive(300);
                            if (left != null) {
                              shop.save(orders, left.getJMSCorrelationID());
                              left.acknowledge();
                            }
                          }
                        })
                    .expect(row(orders).byKey().once()));
    assertThat(report.points())
        .extracting(point -> point.role().action())
        .containsExactly("autocommit", "acknowledge");
    assertThat(report.runs()).allMatch(RunReport::passed);
  }

  private Shop start(Resources resources) {
    String address = resources.address("jms", "127.0.0.1", port);
    return new Shop(
        resources.dataSource("shop", LabServers.url()),
        resources.connectionFactory("jms", new ActiveMQConnectionFactory("tcp://" + address)),
        queue);
  }

  private ExplorationReport explore(Scenario.Work<Shop> operation) {
    return CrashLab.explore(
        "save and announce",
        CrashLab.Options.defaults().withCarriers(Carrier.FENCED, Carrier.LOST_ACK),
        lab ->
            lab.application(this::start)
                .operation(operation)
                .expect(row(orders).byKey().once(), effect("jms", "message", this::count).once()));
  }

  private void put(String key) {
    try (ActiveMQConnectionFactory direct =
            new ActiveMQConnectionFactory("tcp://127.0.0.1:" + port);
        JMSContext context = direct.createContext()) {
      context.createProducer().setJMSCorrelationID(key).send(context.createQueue(queue), "placed");
    }
  }

  /** How many messages of a key are in the queue. */
  private int count(String key) {
    try (ActiveMQConnectionFactory direct =
            new ActiveMQConnectionFactory("tcp://127.0.0.1:" + port);
        JMSContext context = direct.createContext()) {
      Queue from = context.createQueue(queue);
      try (QueueBrowser browser = context.createBrowser(from, "JMSCorrelationID = '" + key + "'")) {
        int count = 0;
        for (Enumeration<?> each = browser.getEnumeration();
            each.hasMoreElements();
            each.nextElement()) {
          count++;
        }
        return count;
      }
    } catch (JMSException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<RunReport> failed(ExplorationReport report) {
    assertThat(report.runs()).allMatch(run -> run.problem() == null);
    return report.runs().stream().filter(run -> !run.passed()).toList();
  }
}
