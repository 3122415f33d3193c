package dev.holdfast.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A connection, a channel and a consumer. What it received and did not acknowledge is the broker's
 * again when this is closed. One thread's; deliveries come on the connection's and wait in a queue
 * that the prefetch bounds.
 */
final class RabbitMqLink implements AutoCloseable {
  private static final String REASON = "holdfast_reason";
  private static final String ATTEMPTS = "holdfast_attempts";
  private static final int LONGEST_REASON = 1000;
  private static final Duration CONFIRM_TIMEOUT = Duration.ofSeconds(30);

  private final Connection connection;
  private final Channel channel;
  private final BlockingQueue<Delivery> arrived = new LinkedBlockingQueue<>();
  private volatile @Nullable String ended;
  private @Nullable Confirms deadLetters;

  private RabbitMqLink(Connection connection, Channel channel) {
    this.connection = connection;
    this.channel = channel;
  }

  static RabbitMqLink open(ConnectionFactory factory, String queue, int prefetch)
      throws IOException, TimeoutException {
    Connection connection = factory.newConnection("holdfast inbox " + queue);
    RabbitMqLink link = null;
    try {
      Channel channel = Objects.requireNonNull(connection.createChannel(), "no channel left");
      RabbitMqLink opened = new RabbitMqLink(connection, channel);
      channel.addShutdownListener(opened::shutDown);
      channel.basicQos(prefetch);
      channel.basicConsume(
          queue,
          false,
          (tag, delivery) -> opened.arrived.add(delivery),
          tag -> opened.ended = "the queue was deleted, or the consumer cancelled by the broker");
      link = opened;
      return link;
    } finally {
      if (link == null) {
        Connections.close(connection);
      }
    }
  }

  private void shutDown(ShutdownSignalException cause) {
    ended = Failures.text(cause);
  }

  /**
   * The next message, or {@code null} when none came.
   *
   * @throws IOException when none can come any more
   */
  @Nullable Delivery receive(long atMostMillis) throws IOException, InterruptedException {
    check();
    return arrived.poll(atMostMillis, TimeUnit.MILLISECONDS);
  }

  /** Fails when the channel is gone, and with it what was received on it. */
  void check() throws IOException {
    String why = ended;
    if (why != null) {
      throw new IOException(why);
    }
  }

  /** Tells the broker that it may forget the message. */
  void acknowledge(Delivery message) throws IOException {
    channel.basicAck(message.getEnvelope().getDeliveryTag(), false);
  }

  /** To the dead-letter exchange of its queue, if that has one, and else to nowhere. */
  void reject(Delivery message) throws IOException {
    channel.basicReject(message.getEnvelope().getDeliveryTag(), false);
  }

  /**
   * Publishes the message elsewhere and acknowledges it when that is confirmed.
   *
   * @throws IOException when it is not: the message is not acknowledged
   */
  void moveTo(RabbitMqRoute route, Delivery message, int attempts, String reason)
      throws IOException, InterruptedException {
    Confirms on = deadLetters;
    if (on == null || !on.isOpen()) {
      on = Confirms.open(connection);
      deadLetters = on;
    }
    on.begin();
    Map<String, Object> headers = new HashMap<>();
    if (message.getProperties().getHeaders() != null) {
      headers.putAll(message.getProperties().getHeaders());
    }
    headers.put(ATTEMPTS, attempts);
    headers.put(REASON, reason.substring(0, Math.min(reason.length(), LONGEST_REASON)));
    AMQP.BasicProperties properties =
        message.getProperties().builder().headers(headers).deliveryMode(2).build();
    String tracked = "given-up";
    on.publish(tracked, route, properties, message.getBody());
    if (!on.await(CONFIRM_TIMEOUT) || on.answer(tracked) != Confirms.Answer.CONFIRMED) {
      throw new IOException(
          "The message that is given up could not be published to %s (%s). It is not acknowledged and comes again. Bind a queue there."
              .formatted(route, on.reason(tracked)));
    }
    acknowledge(message);
  }

  @Override
  public void close() {
    try {
      // In order, so that acknowledgments on their way are taken.
      channel.close();
    } catch (IOException | TimeoutException | RuntimeException e) {
      // It is gone already.
    }
    Connections.close(connection);
  }
}
