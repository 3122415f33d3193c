package dev.holdfast.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.ShutdownSignalException;
import dev.holdfast.internal.inbox.Broker;
import dev.holdfast.internal.inbox.Broker.Fate;
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
final class RabbitMqLink implements Broker.Link<Delivery> {
  private static final String REASON = "holdfast_reason";
  private static final String ATTEMPTS = "holdfast_attempts";
  private static final int LONGEST_REASON = 1000;
  private static final Duration CONFIRM_TIMEOUT = Duration.ofSeconds(30);

  private final Connection connection;
  private final Channel channel;
  private final RabbitMqInboxSettings settings;
  private final BlockingQueue<Delivery> arrived = new LinkedBlockingQueue<>();
  private volatile @Nullable String ended;
  private @Nullable Confirms deadLetters;

  private RabbitMqLink(Connection connection, Channel channel, RabbitMqInboxSettings settings) {
    this.connection = connection;
    this.channel = channel;
    this.settings = settings;
  }

  static RabbitMqLink open(ConnectionFactory factory, String queue, RabbitMqInboxSettings settings)
      throws IOException, TimeoutException {
    Connection connection = factory.newConnection("holdfast inbox " + queue);
    RabbitMqLink link = null;
    try {
      Channel channel = Objects.requireNonNull(connection.createChannel(), "no channel left");
      RabbitMqLink opened = new RabbitMqLink(connection, channel, settings);
      channel.addShutdownListener(opened::shutDown);
      channel.basicQos(settings.prefetch());
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
  @Override
  public @Nullable Delivery receive(long atMostMillis) throws IOException, InterruptedException {
    check();
    return arrived.poll(atMostMillis, TimeUnit.MILLISECONDS);
  }

  @Override
  public void check() throws IOException {
    String why = ended;
    if (why != null) {
      throw new IOException(why);
    }
  }

  @Override
  public void acknowledge(Delivery message) throws IOException {
    channel.basicAck(message.getEnvelope().getDeliveryTag(), false);
  }

  @Override
  public Fate failed(Delivery message, int attempts, boolean hopeless, Throwable cause)
      throws IOException, InterruptedException {
    if (!hopeless && attempts < settings.attempts()) {
      return new Fate.Kept();
    }
    RabbitMqRoute deadLetter = settings.deadLetter();
    if (deadLetter == null) {
      channel.basicReject(message.getEnvelope().getDeliveryTag(), false);
      return new Fate.GivenUp("rejected: with the queue's dead-letter exchange, if it has one");
    }
    moveTo(deadLetter, message, attempts, Failures.text(cause));
    return new Fate.GivenUp("in " + deadLetter);
  }

  /**
   * Publishes the message elsewhere and acknowledges it when that is confirmed.
   *
   * @throws IOException when it is not: the message is not acknowledged
   */
  private void moveTo(RabbitMqRoute route, Delivery message, int attempts, String reason)
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
