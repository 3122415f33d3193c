package dev.holdfast.spring;

import com.rabbitmq.client.Delivery;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Messages of RabbitMQ. Loaded only where its client is. */
final class RabbitMqMessages implements MessageKind<Delivery> {
  @Override
  public Class<Delivery> type() {
    return Delivery.class;
  }

  @Override
  public String typeName() {
    return "com.rabbitmq.client.Delivery";
  }

  @Override
  public byte[] payload(Delivery message) {
    return message.getBody();
  }

  @Override
  public @Nullable Object header(Delivery message, String name) {
    Map<String, Object> headers = message.getProperties().getHeaders();
    return headers == null ? null : headers.get(name);
  }
}
