package dev.holdfast.spring;

import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.rabbitmq.RabbitMqInbox;
import dev.holdfast.rabbitmq.RabbitMqInboxSettings;
import dev.holdfast.rabbitmq.RabbitMqParking;
import dev.holdfast.rabbitmq.RabbitMqRoute;
import dev.holdfast.spring.AnnotatedMethods.Found;
import dev.holdfast.spring.ConsumerProperties.RabbitMqConsumerProperties;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ListableBeanFactory;

/** The consumers of RabbitMQ. Used only where the module for it is. */
final class RabbitMqConsumers {
  private static final MessageKind<Delivery> MESSAGES = new RabbitMqMessages();

  private RabbitMqConsumers() {}

  static Consumers.Plan plan(
      ListableBeanFactory beans,
      AnnotatedMethods methods,
      Found<HoldfastRabbitListener> listener,
      @Nullable PayloadReader reader,
      ReceivedWork work,
      String consumer,
      ConsumerProperties own) {
    String queue = methods.resolve(listener, listener.annotation().queue());
    if (queue.isEmpty()) {
      throw ListenerMethod.refused(listener.name(), "names no queue", "Set queue = \"…\"");
    }
    RabbitMqInboxSettings settings = settings(own, consumer);
    RabbitMqConsumerProperties rabbit = group(own);
    ConnectionFactory factory =
        BrokerFactories.of(beans, "consumer", consumer, "rabbitmq")
            .rabbitMq("receives from RabbitMQ", rabbit.connectionFactory(), rabbit.uri());
    ListenerMethod<Delivery> method = methods.method(listener, MESSAGES, reader);
    return new QueueConsumers.Planned(
        work.holdfast(),
        consumer,
        "RabbitMQ queue " + queue,
        own.inbox(consumer),
        inbox -> {
          RabbitMqInbox started =
              RabbitMqInbox.start(
                  factory,
                  queue,
                  inbox,
                  settings,
                  (tx, message) -> work.doAll(method, tx, message));
          return new QueueConsumers.Receiver(started::status, started::close);
        });
  }

  private static RabbitMqConsumerProperties group(ConsumerProperties own) {
    return Objects.requireNonNullElse(own.rabbitmq(), RabbitMqConsumerProperties.DEFAULT);
  }

  static RabbitMqInboxSettings settings(ConsumerProperties own, String consumer) {
    RabbitMqInboxSettings settings = givenUp(own, group(own), consumer);
    settings =
        settings
            .withConcurrency(own.concurrency())
            .withPrefetch(group(own).prefetch())
            .withAttempts(own.attemptsOr(settings.attempts()));
    if (own.parking()) {
      int most = Objects.requireNonNullElse(own.maxParked(), RabbitMqParking.DEFAULT.maxParked());
      settings = settings.withParking(RabbitMqParking.DEFAULT.withMaxParked(most));
    }
    return own.closingWait() == null ? settings : settings.withClosingWait(own.closingWait());
  }

  /** Each of the answers loses something to somebody, so there is none unless it is given. */
  private static RabbitMqInboxSettings givenUp(
      ConsumerProperties own, RabbitMqConsumerProperties rabbit, String consumer) {
    String deadLetter = own.deadLetter();
    if ((deadLetter != null) == rabbit.reject()) {
      throw new InvalidConfiguration(
          "holdfast.consumers.%s %s what becomes of a message that cannot be handled. Nothing was started. Set dead-letter to the queue for it, or rabbitmq.reject=true where its own queue has a dead-letter exchange; without one, RabbitMQ drops what is rejected."
              .formatted(consumer, rabbit.reject() ? "says twice" : "does not say"));
    }
    if (deadLetter != null) {
      return RabbitMqInboxSettings.deadLetteringTo(
          new RabbitMqRoute(rabbit.deadLetterExchange(), deadLetter));
    }
    if (!rabbit.deadLetterExchange().isEmpty()) {
      throw new InvalidConfiguration(
          "holdfast.consumers.%s.rabbitmq.dead-letter-exchange is set, and what is given up is rejected. Nothing was started. Set dead-letter to the routing key in place of reject, or take the exchange away."
              .formatted(consumer));
    }
    return RabbitMqInboxSettings.rejecting();
  }
}
