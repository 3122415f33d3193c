package dev.holdfast.rabbitmq;

import com.rabbitmq.client.ConnectionFactory;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Capability;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.TargetUnavailable;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A RabbitMQ broker as the target of a channel: at least once, in order per key, each message under
 * the same id whenever it comes; a message that no queue would get is refused and not lost.
 * Immutable and thread-safe.
 *
 * <p>Messages are persistent. {@code message-id} is the message's id, {@code content-type}, {@code
 * type} and {@code timestamp} are what they say; the attributes of CloudEvents are headers whose
 * names begin with {@code cloudEvents_}.
 */
public final class RabbitMqTarget implements Target {
  private static final Duration LONGEST_CONFIRM = Duration.ofHours(1);

  private static final List<Assumption> ASSUMPTIONS =
      List.of(
          new Assumption(
              "rabbitmq.durable-queues",
              null,
              "Every queue that the exchange gives messages to is durable, better a quorum queue, and has no overflow policy that drops the oldest.",
              Set.of()),
          new Assumption(
              "rabbitmq.all-bindings",
              null,
              "Whoever is to get a message has a queue bound before it is published: the broker says when no queue gets it, not when one is missing.",
              Set.of()),
          new Assumption(
              "rabbitmq.one-consumer-per-key",
              Capability.ORDER_PER_KEY,
              "The messages of a key come into one queue, which has one active consumer.",
              Set.of()));

  private final Settings settings;

  /**
   * What a target is made of.
   *
   * @param confirmTimeout how long the broker may take to confirm a wave
   */
  record Settings(
      ConnectionFactory connectionFactory,
      Function<String, RabbitMqRoute> routes,
      @Nullable String source,
      Duration confirmTimeout) {

    static Settings of(ConnectionFactory connectionFactory, String exchange) {
      return new Settings(
          Connections.copy(connectionFactory),
          topic -> new RabbitMqRoute(exchange, topic),
          null,
          Duration.ofSeconds(30));
    }

    /** Without the user and the password. */
    @Override
    public String toString() {
      return Connections.describe(connectionFactory);
    }
  }

  RabbitMqTarget(Settings settings) {
    this.settings = settings;
  }

  /**
   * Where the messages of a topic go; to the target's exchange with the topic as routing key when
   * not set.
   *
   * @param routes asked by the relay's thread once for each message; must answer alike each time.
   *     What it throws refuses the message
   */
  public RabbitMqTarget routes(Function<String, RabbitMqRoute> routes) {
    return new RabbitMqTarget(
        new Settings(settings.connectionFactory, routes, settings.source, settings.confirmTimeout));
  }

  /** The CloudEvents {@code source} of every message; {@code /holdfast/CHANNEL} when not set. */
  public RabbitMqTarget source(String uri) {
    return new RabbitMqTarget(
        new Settings(settings.connectionFactory, settings.routes, uri, settings.confirmTimeout));
  }

  /**
   * How long the broker may take to confirm what was sent together, before it is taken for
   * unavailable; 1 s to 1 h, 30 s when not set.
   */
  public RabbitMqTarget confirmTimeout(Duration timeout) {
    if (timeout.compareTo(Duration.ofSeconds(1)) < 0 || timeout.compareTo(LONGEST_CONFIRM) > 0) {
      throw new InvalidConfiguration(
          "The confirm timeout is %s, and must be 1 s to 1 h. Nothing was started."
              .formatted(timeout));
    }
    return new RabbitMqTarget(
        new Settings(settings.connectionFactory, settings.routes, settings.source, timeout));
  }

  @Override
  public String description() {
    return settings.toString();
  }

  @Override
  public String kind() {
    return "rabbitmq";
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of(Capability.ORDER_PER_KEY);
  }

  @Override
  public Acknowledgment acknowledgment() {
    return Acknowledgment.PERSISTED;
  }

  @Override
  public List<Assumption> assumptions() {
    return ASSUMPTIONS;
  }

  @Override
  public TargetSession open(Context context) {
    try {
      return new RabbitMqSession(
          settings,
          settings.connectionFactory.newConnection("holdfast channel " + context.channel()),
          new Encoder(settings.source, context.channel()));
    } catch (IOException | TimeoutException | RuntimeException e) {
      throw new TargetUnavailable(
          "RabbitMQ (%s) could not be reached to open channel %s (%s). Nothing was delivered; messages wait and it is tried again."
              .formatted(description(), context.channel(), Failures.text(e)),
          e);
    }
  }

  @Override
  public String toString() {
    return description();
  }
}
