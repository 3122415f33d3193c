package dev.holdfast.jms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidMessage;
import dev.holdfast.internal.inbox.Keeper.Kept;
import jakarta.jms.BytesMessage;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.MapMessage;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A message that is kept and made anew says the same. */
final class KeptMessageTest {
  private static final int MOST = 1 << 20;

  private final String queue = TestServers.unique("kept");
  private Connection connection;
  private Session session;

  @BeforeEach
  void connect() throws JMSException {
    connection = TestServers.client().createConnection();
    connection.start();
    session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
  }

  @AfterEach
  void close() throws JMSException {
    connection.close();
  }

  /** Over the broker, kept, and made anew. */
  private Message again(Message sent) throws JMSException {
    session.createProducer(session.createQueue(queue)).send(sent);
    Message received;
    try (MessageConsumer consumer = session.createConsumer(session.createQueue(queue))) {
      received = consumer.receive(20_000);
    }
    Kept kept = KeptMessage.of(received, MOST);
    Message made = KeptMessage.rebuild(kept, session);
    assertThat(made.getJMSMessageID()).isEqualTo(received.getJMSMessageID());
    assertThat(made.getJMSTimestamp()).isEqualTo(received.getJMSTimestamp());
    assertThat(made.getJMSPriority()).isEqualTo(received.getJMSPriority());
    assertThat(Incomings.of(made)).usingRecursiveComparison().isEqualTo(Incomings.of(received));
    return made;
  }

  @Test
  void propertiesKeepTheirTypes() throws JMSException {
    Message message = session.createTextMessage("Grüße \uD83D\uDE00");
    message.setJMSType("order");
    message.setJMSCorrelationID("c-1");
    message.setJMSReplyTo(session.createTopic("answers"));
    message.setStringProperty("s", "");
    message.setBooleanProperty("z", true);
    message.setByteProperty("b", (byte) -1);
    message.setShortProperty("h", (short) 300);
    message.setIntProperty("i", 70_000);
    message.setLongProperty("j", Long.MIN_VALUE);
    message.setFloatProperty("f", 0.1f);
    message.setDoubleProperty("d", Double.NEGATIVE_INFINITY);
    message.setStringProperty("JMSXGroupID", "g");

    Message made = again(message);
    assertThat(((TextMessage) made).getText()).isEqualTo("Grüße \uD83D\uDE00");
    assertThat(made.getJMSType()).isEqualTo("order");
    assertThat(made.getJMSCorrelationID()).isEqualTo("c-1");
    assertThat(made.getJMSReplyTo()).isEqualTo(session.createTopic("answers"));
    assertThat(made.getJMSRedelivered()).isTrue();
    assertThat(made.getObjectProperty("s")).isEqualTo("");
    assertThat(made.getObjectProperty("z")).isEqualTo(true);
    assertThat(made.getObjectProperty("b")).isEqualTo((byte) -1);
    assertThat(made.getObjectProperty("h")).isEqualTo((short) 300);
    assertThat(made.getObjectProperty("i")).isEqualTo(70_000);
    assertThat(made.getObjectProperty("j")).isEqualTo(Long.MIN_VALUE);
    assertThat(made.getObjectProperty("f")).isEqualTo(0.1f);
    assertThat(made.getObjectProperty("d")).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(made.getStringProperty("JMSXGroupID")).isEqualTo("g");
  }

  @Test
  void bodiesOfBytesAndMapsAndNoneComeBack() throws JMSException {
    BytesMessage bytes = session.createBytesMessage();
    bytes.writeBytes(new byte[] {0, -1, 1});
    BytesMessage madeOfBytes = (BytesMessage) again(bytes);
    assertThat(Incomings.content(madeOfBytes)).containsExactly(0, -1, 1);

    MapMessage map = session.createMapMessage();
    map.setInt("i", 1);
    map.setChar("c", 'x');
    map.setBytes("x", new byte[] {1, 0});
    map.setString("s", "text");
    MapMessage madeOfMap = (MapMessage) again(map);
    assertThat(madeOfMap.getObject("i")).isEqualTo(1);
    assertThat(madeOfMap.getObject("c")).isEqualTo('x');
    assertThat(madeOfMap.getBytes("x")).containsExactly(1, 0);
    assertThat(madeOfMap.getString("s")).isEqualTo("text");

    assertThat(((TextMessage) again(session.createTextMessage())).getText()).isNull();
    Message none = again(session.createMessage());
    assertThat(none).isNotInstanceOfAny(TextMessage.class, BytesMessage.class, MapMessage.class);
  }

  @Test
  void whatWouldNotComeBackIsRefused() throws JMSException {
    assertRefused(session.createObjectMessage("x"), "a Java object");
    assertRefused(session.createStreamMessage(), "a stream");
    assertRefused(session.createTextMessage("\uD83D"), "no Unicode");
    assertThatThrownBy(() -> KeptMessage.of(session.createTextMessage("x".repeat(200)), 100))
        .isInstanceOf(InvalidMessage.class)
        .hasMessageContaining("100 are allowed");
  }

  private static void assertRefused(Message message, String why) {
    assertThatThrownBy(() -> KeptMessage.of(message, MOST))
        .isInstanceOf(InvalidMessage.class)
        .hasMessageContaining(why);
  }
}
