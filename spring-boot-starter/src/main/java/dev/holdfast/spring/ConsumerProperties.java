package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.InboxSettings;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * A consumer that {@link HoldfastListener}, {@link HoldfastJmsListener} or {@link
 * HoldfastRabbitListener} methods belong to. What its kind of broker has no use for fails the
 * start.
 *
 * @param attempts how often a message is handled before it is given up; 3 for Kafka when not set,
 *     where it is parked then with the later ones of its key, 5 for JMS and RabbitMQ
 * @param handlerSilence how long a method may leave its transaction alone before the database ends
 *     it
 * @param maxParked how many messages may be parked; 10,000 when not set. Partitions of Kafka with
 *     more of them are stopped, and listeners of queues wait. Only for Kafka, and with parking
 * @param startAt where a consumer begins that has never read a topic: earliest, which it is when
 *     not set, latest, or a time such as 2026-01-31T00:00:00Z. Only for Kafka
 * @param messageIds how ids are remembered: always for JMS and RabbitMQ; for Kafka, whose offsets
 *     tell records apart, when one of these is set
 * @param concurrency how many threads of this process handle messages, each in transactions of its
 *     own; for Kafka some of more than there are partitions are idle
 * @param properties settings of the Kafka consumer that differ from those of spring.kafka
 * @param parking whether messages that are given up are parked in the database with the later ones
 *     of their key, as those of Kafka always are. Only for JMS and RabbitMQ
 * @param deadLetter queue that gets the messages that are given up. Only for JMS and RabbitMQ
 * @param closingWait how long what is being handled is waited for at the end; 30 s when not set.
 *     Only for JMS and RabbitMQ
 * @param jms how it receives from JMS
 * @param rabbitmq how it receives from RabbitMQ
 */
public record ConsumerProperties(
    @Nullable Integer attempts,
    @DefaultValue("1m") Duration handlerSilence,
    @Nullable Integer maxParked,
    @Nullable String startAt,
    @Nullable MessageIdsProperties messageIds,
    @DefaultValue("1") int concurrency,
    @DefaultValue Map<String, String> properties,
    @DefaultValue("false") boolean parking,
    @Nullable String deadLetter,
    @Nullable Duration closingWait,
    @Nullable JmsConsumerProperties jms,
    @Nullable RabbitMqConsumerProperties rabbitmq) {

  /**
   * How the ids of messages are remembered.
   *
   * @param enabled whether they are; as soon as one of these is set, unless this is false
   * @param retention how long an id is remembered at least
   * @param redelivery how long after the first time a message may come again
   */
  public record MessageIdsProperties(
      @DefaultValue("true") boolean enabled,
      @DefaultValue("7d") Duration retention,
      @DefaultValue("1d") Duration redelivery) {
    InboxSettings settings(Duration handlerSilence) {
      return new InboxSettings(retention, redelivery, handlerSilence);
    }
  }

  /**
   * How a consumer receives from JMS.
   *
   * @param connectionFactory name of the bean that connects to the broker, where there are several
   */
  public record JmsConsumerProperties(@Nullable String connectionFactory) {}

  /**
   * How a consumer receives from RabbitMQ. Prints no address, since a password may be in it.
   *
   * @param connectionFactory name of the bean (com.rabbitmq.client.ConnectionFactory) that connects
   *     to the broker, where there are several
   * @param uri address such as amqps://user:password@host/vhost, where there is no such bean
   * @param prefetch how many messages the broker sends ahead to each thread
   * @param deadLetterExchange exchange that gets the messages that are given up, with dead-letter
   *     as their routing key; the default one, which knows queues by their names, when not set
   * @param reject whether a message that is given up is rejected, for the dead-letter exchange of
   *     its queue; RabbitMQ drops it where the queue has none
   */
  public record RabbitMqConsumerProperties(
      @Nullable String connectionFactory,
      @Nullable String uri,
      @DefaultValue("10") int prefetch,
      @DefaultValue("") String deadLetterExchange,
      @DefaultValue("false") boolean reject) {
    static final RabbitMqConsumerProperties DEFAULT =
        new RabbitMqConsumerProperties(null, null, 10, "", false);

    @Override
    public String toString() {
      return "settings of a consumer of RabbitMQ";
    }
  }

  /** Those of a consumer that no property speaks of. */
  static final ConsumerProperties DEFAULT =
      new ConsumerProperties(
          null,
          Duration.ofMinutes(1),
          null,
          null,
          null,
          1,
          Map.of(),
          false,
          null,
          null,
          null,
          null);

  /** Without the client's properties, among which may be passwords. */
  @Override
  public String toString() {
    return "settings of a consumer";
  }

  boolean remembersIds() {
    return messageIds != null && messageIds.enabled();
  }

  /** Of a consumer that always remembers ids. */
  InboxSettings inbox(String consumer) {
    MessageIdsProperties ids = messageIds;
    if (ids != null && !ids.enabled()) {
      throw new InvalidConfiguration(
          "holdfast.consumers.%s.message-ids.enabled is false, and its messages have nothing but their ids to be told apart by. Nothing was started. Take the property away."
              .formatted(consumer));
    }
    return ids == null
        ? InboxSettings.DEFAULT.withHandlerSilence(handlerSilence)
        : ids.settings(handlerSilence);
  }

  /** Where a consumer receives from. */
  enum Source {
    KAFKA("Kafka"),
    JMS("JMS"),
    RABBITMQ("RabbitMQ");

    private final String word;

    Source(String word) {
      this.word = word;
    }

    String word() {
      return word;
    }
  }

  /** Settings for another kind of broker would be set in vain. */
  void requireOnlyThoseOf(Source source, String consumer) {
    boolean kafka = source == Source.KAFKA;
    refuse(maxParked, kafka || parking, "max-parked", source, consumer);
    refuse(parking ? true : null, !kafka, "parking", source, consumer);
    refuse(startAt, kafka, "start-at", source, consumer);
    refuse(properties.isEmpty() ? null : properties, kafka, "properties", source, consumer);
    refuse(deadLetter, !kafka, "dead-letter", source, consumer);
    refuse(closingWait, !kafka, "closing-wait", source, consumer);
    refuse(jms, source == Source.JMS, "jms", source, consumer);
    refuse(rabbitmq, source == Source.RABBITMQ, "rabbitmq", source, consumer);
  }

  private static void refuse(
      @Nullable Object value, boolean allowed, String name, Source source, String consumer) {
    if (value != null && !allowed) {
      throw new InvalidConfiguration(
          "holdfast.consumers.%s.%s is set, and the consumer receives from %s, which has no use for it. Nothing was started. Take it away, or correct the consumer's name."
              .formatted(consumer, name, source.word()));
    }
  }

  int attemptsOr(int unlessSet) {
    return Objects.requireNonNullElse(attempts, unlessSet);
  }
}
