package dev.holdfast.jms;

import dev.holdfast.InvalidMessage;
import dev.holdfast.inbox.store.ConsumerParking.Header;
import dev.holdfast.internal.inbox.Keeper.Kept;
import jakarta.jms.BytesMessage;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.MapMessage;
import jakarta.jms.Message;
import jakarta.jms.ObjectMessage;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.StreamMessage;
import jakarta.jms.TextMessage;
import jakarta.jms.Topic;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A JMS message as it is kept in the database: the body of a text or of bytes as it is, and all
 * else as headers with {@linkplain Typed typed} values, readable in SQL. Java's serialization is no
 * part of it. What is written here is read by later versions.
 */
final class KeptMessage {
  private static final String BODY = "body";
  private static final String JMS = "jms:";
  private static final String PROPERTY = "property:";
  private static final String ENTRY = "entry:";

  private KeptMessage() {}

  /**
   * @throws InvalidMessage when it cannot be kept
   */
  static Kept of(Message message, int maxBytes) throws JMSException {
    List<Header> headers = new ArrayList<>();
    byte[] body = body(message, headers);
    add(headers, JMS + "MessageID", message.getJMSMessageID());
    add(headers, JMS + "CorrelationID", message.getJMSCorrelationID());
    add(headers, JMS + "Type", message.getJMSType());
    add(headers, JMS + "ReplyTo", name(message.getJMSReplyTo()));
    add(headers, JMS + "DeliveryMode", message.getJMSDeliveryMode());
    add(headers, JMS + "Priority", message.getJMSPriority());
    add(headers, JMS + "Expiration", message.getJMSExpiration());
    for (Map.Entry<String, Object> each : JmsLink.properties(message).entrySet()) {
      if (!PropertyNames.isAllowed(each.getKey())) {
        throw unkeepable("JMS would not make a property called " + each.getKey() + " again");
      }
      add(headers, PROPERTY + each.getKey(), each.getValue());
    }
    long size = body == null ? 0 : body.length;
    for (Header header : headers) {
      byte[] value = header.value();
      size += header.name().length() + (value == null ? 0 : value.length);
    }
    if (size > maxBytes) {
      throw unkeepable("it has %,d bytes, and %,d are allowed".formatted(size, maxBytes));
    }
    return new Kept(Math.max(0, message.getJMSTimestamp()), body, headers);
  }

  private static byte @Nullable [] body(Message message, List<Header> headers) throws JMSException {
    if (message instanceof ObjectMessage) {
      throw unkeepable("its body is a Java object, which is never written down here");
    }
    if (message instanceof StreamMessage) {
      throw unkeepable("its body is a stream");
    }
    if (message instanceof TextMessage text) {
      add(headers, BODY, "text");
      return text.getText() == null ? null : Typed.utf8(text.getText());
    }
    if (message instanceof BytesMessage bytes) {
      add(headers, BODY, "bytes");
      return Incomings.content(bytes);
    }
    if (message instanceof MapMessage map) {
      add(headers, BODY, "map");
      for (Enumeration<?> names = map.getMapNames(); names.hasMoreElements(); ) {
        String name = (String) names.nextElement();
        headers.add(header(ENTRY + name, map.getObject(name)));
      }
      return null;
    }
    add(headers, BODY, "none");
    return null;
  }

  private static void add(List<Header> headers, String name, @Nullable Object value) {
    if (value != null) {
      headers.add(header(name, value));
    }
  }

  private static Header header(String name, @Nullable Object value) {
    if (name.indexOf('\0') >= 0) {
      throw unkeepable("a name in it holds the character 0");
    }
    return new Header(name, Typed.write(value));
  }

  static InvalidMessage unkeepable(String why) {
    return new InvalidMessage(
        "The message cannot be parked in the database: %s. It was not handled.".formatted(why));
  }

  private static @Nullable String name(@Nullable Destination destination) throws JMSException {
    if (destination instanceof Queue queue) {
      return "queue:" + queue.getQueueName();
    }
    return destination instanceof Topic topic ? "topic:" + topic.getTopicName() : null;
  }

  /** The message as it was received, as far as it is the sender's; redelivered. */
  static Message rebuild(Kept kept, Session session) throws JMSException {
    Message message = withBody(kept, session);
    message.setJMSTimestamp(kept.createdMs());
    message.setJMSRedelivered(true);
    for (Header header : kept.headers()) {
      byte[] value = header.value();
      String name = header.name();
      if (value == null) {
        continue;
      }
      if (name.startsWith(PROPERTY)) {
        message.setObjectProperty(name.substring(PROPERTY.length()), Typed.read(value));
      } else if (name.startsWith(ENTRY) && message instanceof MapMessage map) {
        map.setObject(name.substring(ENTRY.length()), Typed.read(value));
      } else if (name.startsWith(JMS)) {
        set(message, name.substring(JMS.length()), Typed.read(value), session);
      }
    }
    if (message instanceof BytesMessage bytes) {
      bytes.reset();
    }
    return message;
  }

  private static Message withBody(Kept kept, Session session) throws JMSException {
    byte[] body = kept.body();
    Object kind =
        kept.headers().stream()
            .filter(each -> each.name().equals(BODY))
            .findFirst()
            .map(Header::value)
            .map(Typed::read)
            .orElse("none");
    if (kind.equals("text")) {
      return body == null
          ? session.createTextMessage()
          : session.createTextMessage(Typed.text(body, 0));
    }
    if (kind.equals("bytes")) {
      BytesMessage bytes = session.createBytesMessage();
      bytes.writeBytes(body == null ? new byte[0] : body);
      return bytes;
    }
    return kind.equals("map") ? session.createMapMessage() : session.createMessage();
  }

  private static void set(Message message, String name, @Nullable Object value, Session session)
      throws JMSException {
    switch (name) {
      case "MessageID" -> message.setJMSMessageID((String) value);
      case "CorrelationID" -> message.setJMSCorrelationID((String) value);
      case "Type" -> message.setJMSType((String) value);
      case "ReplyTo" -> message.setJMSReplyTo(destination(String.valueOf(value), session));
      case "DeliveryMode" -> message.setJMSDeliveryMode(number(value).intValue());
      case "Priority" -> message.setJMSPriority(number(value).intValue());
      case "Expiration" -> message.setJMSExpiration(number(value).longValue());
      default -> {
        // Of a later version, which keeps more.
      }
    }
  }

  private static Number number(@Nullable Object value) {
    return value instanceof Number number ? number : 0;
  }

  private static Destination destination(String name, Session session) throws JMSException {
    String bare = name.substring(name.indexOf(':') + 1);
    return name.startsWith("topic:") ? session.createTopic(bare) : session.createQueue(bare);
  }
}
