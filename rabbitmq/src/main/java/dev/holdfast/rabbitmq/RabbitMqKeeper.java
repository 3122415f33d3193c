package dev.holdfast.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.impl.ContentHeaderPropertyWriter;
import dev.holdfast.InvalidMessage;
import dev.holdfast.inbox.store.ConsumerParking.Header;
import dev.holdfast.internal.inbox.Keeper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Date;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps deliveries of a queue while they are parked: the body as it is, and the properties with
 * their headers in AMQP's own encoding, which has all of their types. Needs no broker.
 */
final class RabbitMqKeeper implements Keeper<Delivery> {
  private static final String PROPERTIES = "properties";
  private static final String EXCHANGE = "exchange";
  private static final String ROUTING_KEY = "routing-key";

  private final String queue;
  private final int attempts;
  private final RabbitMqParking parking;

  RabbitMqKeeper(String queue, int attempts, RabbitMqParking parking) {
    this.queue = queue;
    this.attempts = attempts;
    this.parking = parking;
  }

  @Override
  public String kind() {
    return "rabbitmq";
  }

  @Override
  public String queue() {
    return queue;
  }

  @Override
  public int maxParked() {
    return parking.maxParked();
  }

  @Override
  public int attempts() {
    return attempts;
  }

  @Override
  public @Nullable String key(Delivery message) {
    try {
      return parking.key().apply(message);
    } catch (RuntimeException e) {
      throw new InvalidMessage(
          "The key of the message cannot be told ("
              + Failures.text(e)
              + "), so its place among others is not known. It was neither handled nor parked.");
    }
  }

  @Override
  public Kept keep(Delivery message) throws IOException {
    byte[] properties = encode(message.getProperties(), message.getBody().length);
    long size = (long) message.getBody().length + properties.length;
    if (size > parking.maxBytes()) {
      throw new InvalidMessage(
          "The message cannot be parked in the database: it has %,d bytes, and %,d are allowed. It was not handled."
              .formatted(size, parking.maxBytes()));
    }
    Date sent = message.getProperties().getTimestamp();
    return new Kept(
        sent == null ? 0 : sent.toInstant().toEpochMilli(),
        message.getBody(),
        List.of(
            header(EXCHANGE, message.getEnvelope().getExchange()),
            header(ROUTING_KEY, message.getEnvelope().getRoutingKey()),
            new Header(PROPERTIES, properties)));
  }

  /** As AMQP's frame of a content header has it: weight, size of the body, properties. */
  private static byte[] encode(AMQP.BasicProperties properties, long bodySize) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeShort(0);
    out.writeLong(bodySize);
    properties.writePropertiesTo(new ContentHeaderPropertyWriter(out));
    out.flush();
    return bytes.toByteArray();
  }

  private static AMQP.BasicProperties decode(byte[] properties) {
    try {
      return new AMQP.BasicProperties(new DataInputStream(new ByteArrayInputStream(properties)));
    } catch (IOException e) {
      throw new InvalidMessage(
          "The properties of a parked message cannot be read (%s), so no message can be made of it. Nothing was handled."
              .formatted(Failures.text(e)));
    }
  }

  private static Header header(String name, String value) {
    return new Header(name, value.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public Rebuilding<Delivery> open() {
    return new Rebuilding<>() {
      @Override
      public Delivery rebuild(Kept kept) {
        return RabbitMqKeeper.rebuild(kept);
      }

      @Override
      public void close() {
        // It holds nothing.
      }
    };
  }

  /** Redelivered, and under no delivery tag: the broker has it no more. */
  private static Delivery rebuild(Kept kept) {
    String exchange = new String(value(kept, EXCHANGE), StandardCharsets.UTF_8);
    String routingKey = new String(value(kept, ROUTING_KEY), StandardCharsets.UTF_8);
    byte[] body = kept.body();
    return new Delivery(
        new Envelope(0, true, exchange, routingKey),
        decode(value(kept, PROPERTIES)),
        body == null ? new byte[0] : body);
  }

  private static byte[] value(Kept kept, String name) {
    return kept.headers().stream()
        .filter(each -> each.name().equals(name))
        .findFirst()
        .map(Header::value)
        .orElseThrow(
            () ->
                new InvalidMessage(
                    "What is parked has no %s, so no message can be made of it. Nothing was handled."
                        .formatted(name)));
  }
}
