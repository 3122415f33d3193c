package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.jms.JmsDestination;
import dev.holdfast.jms.JmsInbox;
import dev.holdfast.jms.JmsInboxSettings;
import dev.holdfast.jms.JmsParking;
import dev.holdfast.spring.AnnotatedMethods.Found;
import dev.holdfast.spring.ConsumerProperties.JmsConsumerProperties;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.Message;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ListableBeanFactory;

/** The consumers of JMS. Used only where the module for it is. */
final class JmsConsumers {
  private static final MessageKind<Message> MESSAGES = new JmsMessages();

  private JmsConsumers() {}

  static Consumers.Plan plan(
      ListableBeanFactory beans,
      AnnotatedMethods methods,
      Found<HoldfastJmsListener> listener,
      @Nullable PayloadReader reader,
      ReceivedWork work,
      String consumer,
      ConsumerProperties own) {
    JmsDestination from = from(methods, listener);
    String subscription = methods.resolve(listener, listener.annotation().subscription());
    JmsInboxSettings settings = settings(own, consumer);
    if (!subscription.isEmpty()) {
      settings = settings.withSubscription(subscription);
    }
    requireSubscription(listener.name(), from, subscription);
    JmsConsumerProperties jms = own.jms();
    ConnectionFactory factory =
        BrokerFactories.of(beans, "consumer", consumer, "jms")
            .jms("receives from JMS", jms == null ? null : jms.connectionFactory());
    ListenerMethod<Message> method = methods.method(listener, MESSAGES, reader);
    JmsInboxSettings all = settings;
    return new QueueConsumers.Planned(
        work.holdfast(),
        consumer,
        "JMS " + from,
        own.inbox(consumer),
        inbox -> {
          JmsInbox started =
              JmsInbox.start(
                  factory, from, inbox, all, (tx, message) -> work.doAll(method, tx, message));
          return new QueueConsumers.Receiver(started::status, started::close);
        });
  }

  private static JmsDestination from(
      AnnotatedMethods methods, Found<HoldfastJmsListener> listener) {
    String queue = methods.resolve(listener, listener.annotation().queue());
    String topic = methods.resolve(listener, listener.annotation().topic());
    if (queue.isEmpty() == topic.isEmpty()) {
      throw ListenerMethod.refused(
          listener.name(),
          queue.isEmpty() ? "names neither a queue nor a topic" : "names a queue and a topic",
          "Set either queue = \"…\", or topic = \"…\" and subscription = \"…\"");
    }
    return queue.isEmpty() ? JmsDestination.topic(topic) : JmsDestination.queue(queue);
  }

  private static void requireSubscription(
      String listener, JmsDestination from, String subscription) {
    boolean isTopic = from.kind() == JmsDestination.Kind.TOPIC;
    if (isTopic && subscription.isEmpty()) {
      throw ListenerMethod.refused(
          listener,
          "names no subscription of the %s, so what is sent while nobody listens would be lost"
              .formatted(from),
          "Set subscription = \"…\"");
    }
    if (!isTopic && !subscription.isEmpty()) {
      throw ListenerMethod.refused(
          listener,
          "names a subscription of the %s, which has none".formatted(from),
          "Take it away");
    }
  }

  static JmsInboxSettings settings(ConsumerProperties own, String consumer) {
    JmsInboxSettings settings = JmsInboxSettings.DEFAULT.withConcurrency(own.concurrency());
    if (own.closingWait() != null) {
      settings = settings.withClosingWait(own.closingWait());
    }
    int attempts = own.attemptsOr(settings.attempts());
    if (own.deadLetter() != null) {
      settings = settings.withDeadLetter(JmsDestination.queue(own.deadLetter()), attempts);
    }
    if (own.parking()) {
      int most = Objects.requireNonNullElse(own.maxParked(), JmsParking.DEFAULT.maxParked());
      return settings.withParking(JmsParking.DEFAULT.withMaxParked(most), attempts);
    }
    if (own.deadLetter() == null && own.attempts() != null) {
      throw new InvalidConfiguration(
          "holdfast.consumers.%s.attempts is set and dead-letter is not, so the broker's own policy decides how often a message is tried. Nothing was started. Name the queue for what is given up, set parking, or take attempts away."
              .formatted(consumer));
    }
    return settings;
  }
}
