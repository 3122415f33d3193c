package dev.holdfast.rabbitmq;

import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import dev.holdfast.InvalidMessage;
import dev.holdfast.Transaction;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.internal.inbox.Broker;
import dev.holdfast.internal.inbox.Keeper;
import dev.holdfast.internal.inbox.OperationIds;
import java.io.IOException;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A queue as a listener receives from it. */
final class RabbitMqBroker implements Broker<Delivery> {
  private final ConnectionFactory factory;
  private final String queue;
  private final RabbitMqInboxSettings settings;
  private final RabbitMqHandler handler;

  RabbitMqBroker(
      ConnectionFactory factory,
      String queue,
      RabbitMqInboxSettings settings,
      RabbitMqHandler handler) {
    this.factory = factory;
    this.queue = queue;
    this.settings = settings;
    this.handler = handler;
  }

  @Override
  public String source() {
    return "queue " + queue;
  }

  @Override
  public Link<Delivery> connect() throws IOException, TimeoutException {
    return RabbitMqLink.open(factory, queue, settings);
  }

  @Override
  public Incoming incoming(Delivery message) {
    String id = id(message);
    if (id == null) {
      throw new InvalidMessage(
          "The message has no message-id, so a redelivery of it could not be told from another message. It was not handled. Let its sender set the property.");
    }
    Incoming incoming = Incoming.of(id).saying(message.getBody());
    Map<String, Object> headers = message.getProperties().getHeaders();
    Object header = headers == null ? null : headers.get(Encoder.OPERATION);
    String operation = OperationIds.usable(header == null ? null : header.toString());
    return operation == null ? incoming : incoming.ofOperation(operation);
  }

  @Override
  public @Nullable Keeper<Delivery> keeper() {
    RabbitMqParking parking = settings.parking();
    return parking == null ? null : new RabbitMqKeeper(queue, settings.attempts(), parking);
  }

  @Override
  public void handle(Transaction tx, Delivery message) throws SQLException {
    handler.handle(tx, message);
  }

  @Override
  public @Nullable String id(Delivery message) {
    return message.getProperties().getMessageId();
  }

  /** Those that ended with a process or a connection; quorum queues count them. */
  @Override
  public int attemptsBefore(Delivery message) {
    Map<String, Object> headers = message.getProperties().getHeaders();
    return headers != null && headers.get("x-delivery-count") instanceof Number count
        ? count.intValue()
        : 0;
  }
}
