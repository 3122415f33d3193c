package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.spring.AnnotatedMethods.Found;
import dev.holdfast.spring.ConsumerProperties.Source;
import java.lang.annotation.Annotation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.util.ClassUtils;

/** Finds the listeners of an application, and plans what is to be started for them. */
final class ConsumerPlans {
  private final ConfigurableListableBeanFactory beans;
  private final Holdfast holdfast;
  private final TransactionalOutbox outbox;
  private final HoldfastProperties properties;
  private final KafkaConsumerSettings kafka;
  private final HoldfastAutoConfiguration.ChosenDataSource chosen;
  private final ObjectProvider<PayloadReader> readers;
  private final AnnotatedMethods methods;

  /** By consumer, the listener that was found first, for people. */
  private final Map<String, String> taken = new TreeMap<>();

  ConsumerPlans(
      ConfigurableListableBeanFactory beans,
      Holdfast holdfast,
      TransactionalOutbox outbox,
      HoldfastProperties properties,
      KafkaConsumerSettings kafka,
      HoldfastAutoConfiguration.ChosenDataSource chosen,
      ObjectProvider<PayloadReader> readers) {
    this.beans = beans;
    this.holdfast = holdfast;
    this.outbox = outbox;
    this.properties = properties;
    this.kafka = kafka;
    this.chosen = chosen;
    this.readers = readers;
    this.methods = new AnnotatedMethods(beans);
  }

  /** Whether there are listeners that remember ids though no property says so. */
  static boolean rememberIds(ConfigurableListableBeanFactory beans) {
    return new AnnotatedMethods(beans)
        .isAnyWith(List.of(HoldfastJmsListener.class, HoldfastRabbitListener.class));
  }

  /**
   * Called when all beans are there.
   *
   * @throws InvalidConfiguration when one of them cannot be started
   */
  List<Consumers.Plan> all() {
    if (!properties.listeners().enabled()) {
      return List.of();
    }
    Map<String, KafkaMethods> ofKafka = Listeners.find(beans, readers);
    ofKafka.forEach(
        (consumer, methods) ->
            taken.put(consumer, methods.all().values().iterator().next().toString()));
    Map<String, Found<HoldfastJmsListener>> ofJms =
        byConsumer(HoldfastJmsListener.class, HoldfastJmsListener::consumer);
    Map<String, Found<HoldfastRabbitListener>> ofRabbitMq =
        byConsumer(HoldfastRabbitListener.class, HoldfastRabbitListener::consumer);
    requireListeners(taken.keySet());
    if (taken.isEmpty()) {
      return List.of();
    }
    PayloadReader reader = readers.getIfUnique();
    ReceivedWork work = work();
    List<Consumers.Plan> plans = new ArrayList<>();
    ofKafka.forEach(
        (consumer, methods) ->
            plans.add(
                KafkaConsumers.plan(work, consumer, own(consumer, Source.KAFKA), kafka, methods)));
    ofJms.forEach((consumer, listener) -> plans.add(jms(work, consumer, listener, reader)));
    ofRabbitMq.forEach(
        (consumer, listener) -> plans.add(rabbitMq(work, consumer, listener, reader)));
    return List.copyOf(plans);
  }

  private ReceivedWork work() {
    PlatformTransactionManager manager = TransactionManagers.choose(beans, chosen.dataSource());
    new ListenersTransactions(beans, manager).check(methods);
    SpringTransactions transactions =
        new SpringTransactions(manager, chosen.dataSource(), holdfast.store().writer());
    return new ReceivedWork(holdfast.transactingBy(transactions), transactions, outbox);
  }

  /** What an annotation names as its consumer. */
  @FunctionalInterface
  private interface Named<A> {
    String consumer(A annotation);
  }

  private <A extends Annotation> Map<String, Found<A>> byConsumer(
      Class<A> annotation, Named<A> named) {
    Map<String, Found<A>> found = new TreeMap<>();
    for (Found<A> listener : methods.with(annotation)) {
      String consumer = methods.consumer(listener, named.consumer(listener.annotation()));
      String other = taken.put(consumer, listener.name());
      if (other != null) {
        throw new InvalidConfiguration(
            "The consumer %s has two listeners, %s and %s, and a consumer of a queue has one. Nothing was started. Give each a consumer of its own."
                .formatted(consumer, other, listener.name()));
      }
      found.put(consumer, listener);
    }
    return found;
  }

  /** What is set for a consumer that nobody is would be set in vain. */
  private void requireListeners(Set<String> consumers) {
    Set<String> unknown = new TreeSet<>(properties.consumers().keySet());
    unknown.removeAll(consumers);
    if (!unknown.isEmpty()) {
      throw new InvalidConfiguration(
          "holdfast.consumers names %s, of which there is no @HoldfastListener, @HoldfastJmsListener or @HoldfastRabbitListener; there are %s. Nothing was started. Take the properties away, or correct the name."
              .formatted(unknown, consumers));
    }
  }

  private ConsumerProperties own(String consumer, Source source) {
    ConsumerProperties own =
        properties.consumers().getOrDefault(consumer, ConsumerProperties.DEFAULT);
    own.requireOnlyThoseOf(source, consumer);
    return own;
  }

  private Consumers.Plan jms(
      ReceivedWork work,
      String consumer,
      Found<HoldfastJmsListener> listener,
      @Nullable PayloadReader reader) {
    require(listener, "dev.holdfast.jms.JmsInbox", "jms");
    return JmsConsumers.plan(
        beans, methods, listener, reader, work, consumer, own(consumer, Source.JMS));
  }

  private Consumers.Plan rabbitMq(
      ReceivedWork work,
      String consumer,
      Found<HoldfastRabbitListener> listener,
      @Nullable PayloadReader reader) {
    require(listener, "dev.holdfast.rabbitmq.RabbitMqInbox", "rabbitmq");
    return RabbitMqConsumers.plan(
        beans, methods, listener, reader, work, consumer, own(consumer, Source.RABBITMQ));
  }

  private static void require(Found<?> listener, String type, String module) {
    if (!ClassUtils.isPresent(type, ConsumerPlans.class.getClassLoader())) {
      throw ListenerMethod.refused(
          listener.name(),
          "has @%s, and the module for it is not on the class path"
              .formatted(listener.annotation().annotationType().getSimpleName()),
          "Add dev.holdfast:holdfast-" + module);
    }
  }
}
