package dev.holdfast.spring;

import jakarta.jms.BytesMessage;
import jakarta.jms.JMSException;
import jakarta.jms.JMSRuntimeException;
import jakarta.jms.MapMessage;
import jakarta.jms.Message;
import jakarta.jms.ObjectMessage;
import jakarta.jms.StreamMessage;
import jakarta.jms.TextMessage;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Messages of JMS. Loaded only where its API is. */
final class JmsMessages implements MessageKind<Message> {
  @Override
  public Class<Message> type() {
    return Message.class;
  }

  @Override
  public String typeName() {
    return "jakarta.jms.Message";
  }

  /** Leaves the message to be read from its beginning. */
  @Override
  public byte @Nullable [] payload(Message message) {
    try {
      if (message instanceof TextMessage text) {
        String body = text.getText();
        return body == null ? null : body.getBytes(StandardCharsets.UTF_8);
      }
      if (message instanceof BytesMessage bytes) {
        byte[] body = new byte[Math.toIntExact(bytes.getBodyLength())];
        bytes.readBytes(body);
        bytes.reset();
        return body;
      }
    } catch (JMSException e) {
      throw unreadable(e);
    }
    if (message instanceof MapMessage
        || message instanceof ObjectMessage
        || message instanceof StreamMessage) {
      throw new IllegalArgumentException(
          "the message is a %s, which is neither text nor bytes; a listener takes it as jakarta.jms.Message"
              .formatted(message.getClass().getSimpleName()));
    }
    return null;
  }

  @Override
  public @Nullable Object header(Message message, String name) {
    try {
      return message.getObjectProperty(name);
    } catch (JMSException e) {
      throw unreadable(e);
    }
  }

  private static JMSRuntimeException unreadable(JMSException e) {
    return new JMSRuntimeException(e.getMessage(), e.getErrorCode(), e);
  }
}
