package dev.holdfast.jms;

import dev.holdfast.InvalidMessage;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.internal.inbox.OperationIds;
import jakarta.jms.BytesMessage;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageFormatException;
import jakarta.jms.TextMessage;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What an inbox has to know of a JMS message. */
final class Incomings {
  private Incomings() {}

  /**
   * The sender's id, else the provider's, which tells a redelivery from a new message but not a
   * message that its sender sent twice.
   *
   * @throws InvalidMessage when there is neither
   */
  static Incoming of(Message message) throws JMSException {
    String id;
    try {
      id = message.getStringProperty(Encoder.ID);
    } catch (MessageFormatException e) {
      throw new InvalidMessage(
          "The property %s of the message is no text, so a redelivery of it could not be told from another message. It was not handled."
              .formatted(Encoder.ID));
    }
    if (id == null) {
      id = message.getJMSMessageID();
    }
    if (id == null) {
      throw new InvalidMessage(
          "The message has neither a property %s nor a JMSMessageID, so a redelivery of it could not be told from another message. It was not handled. Let its sender set the property, or leave message ids enabled."
              .formatted(Encoder.ID));
    }
    Incoming incoming = Incoming.of(id);
    byte[] content = content(message);
    if (content != null) {
      incoming = incoming.saying(content);
    }
    String operation = OperationIds.usable(operation(message));
    return operation == null ? incoming : incoming.ofOperation(operation);
  }

  private static @Nullable String operation(Message message) throws JMSException {
    try {
      return message.getStringProperty(Encoder.OPERATION);
    } catch (MessageFormatException e) {
      return null;
    }
  }

  /** What it says, where that is text or bytes. Leaves it to be read from its beginning. */
  static byte @Nullable [] content(Message message) throws JMSException {
    if (message instanceof TextMessage text) {
      String body = text.getText();
      return body == null ? null : body.getBytes(StandardCharsets.UTF_8);
    }
    if (message instanceof BytesMessage bytes) {
      // Its handler may have read it in part.
      bytes.reset();
      byte[] body = new byte[Math.toIntExact(bytes.getBodyLength())];
      bytes.readBytes(body);
      bytes.reset();
      return body;
    }
    return null;
  }
}
