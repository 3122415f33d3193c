package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.Delivery;
import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.jms.JmsDestination;
import dev.holdfast.jms.JmsInboxSettings;
import dev.holdfast.jms.JmsParking;
import dev.holdfast.rabbitmq.RabbitMqInboxSettings;
import dev.holdfast.rabbitmq.RabbitMqParking;
import dev.holdfast.rabbitmq.RabbitMqRoute;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.Message;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.messaging.handler.annotation.Headers;
import org.springframework.mock.env.MockEnvironment;
import org.springframework.scheduling.annotation.Async;
import org.springframework.transaction.annotation.Transactional;

/** What becomes of the listeners of queues, and what is told of those that cannot be. */
final class QueueListenersTest {
  private static final PGSimpleDataSource DATA_SOURCE = dataSource();
  private static @Nullable Holdfast holdfast;

  private static PGSimpleDataSource dataSource() {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(TestServers.POSTGRES.jdbcUrl());
    return dataSource;
  }

  @BeforeAll
  static void begin() {
    holdfast = Holdfast.on(DATA_SOURCE).schema(TestServers.unique("queues_")).start();
  }

  @AfterAll
  static void end() {
    Objects.requireNonNull(holdfast).close();
  }

  static class Jms {
    @HoldfastJmsListener(consumer = "shipping", queue = "orders")
    void ship(String order) {}
  }

  static class JmsTopic {
    @HoldfastJmsListener(consumer = "shipping", topic = "orders", subscription = "shipping")
    void ship(Message order) {}
  }

  static class Rabbit {
    @HoldfastRabbitListener(consumer = "shipping", queue = "orders")
    void ship(Delivery order) {}
  }

  static class Kafka {
    @HoldfastListener(consumer = "shipping", topics = "orders")
    void ship(String order) {}
  }

  static class OtherJms {
    @HoldfastJmsListener(consumer = "shipping", queue = "parcels")
    void ship(String parcel) {}
  }

  static class NoConsumer {
    @HoldfastJmsListener(consumer = " ", queue = "orders")
    void ship(String order) {}
  }

  static class Nowhere {
    @HoldfastJmsListener(consumer = "shipping")
    void ship(String order) {}
  }

  static class Everywhere {
    @HoldfastJmsListener(consumer = "shipping", queue = "orders", topic = "orders")
    void ship(String order) {}
  }

  static class Unsubscribed {
    @HoldfastJmsListener(consumer = "shipping", topic = "orders")
    void ship(String order) {}
  }

  static class QueueWithSubscription {
    @HoldfastJmsListener(consumer = "shipping", queue = "orders", subscription = "s")
    void ship(String order) {}
  }

  static class OtherBrokersMessage {
    @HoldfastJmsListener(consumer = "shipping", queue = "orders")
    void ship(ConsumerRecord<byte[], byte[]> order) {}
  }

  static class OneKindOfMessage {
    @HoldfastJmsListener(consumer = "shipping", queue = "orders")
    void ship(TextMessage order) {}
  }

  static class Unreadable {
    @HoldfastJmsListener(consumer = "shipping", queue = "orders")
    void ship(List<String> order) {}
  }

  static class Elsewhere {
    @Async
    @HoldfastRabbitListener(consumer = "shipping", queue = "orders")
    void ship(Delivery order) {}
  }

  static class NoQueue {
    @HoldfastRabbitListener(consumer = "shipping", queue = "")
    void ship(Delivery order) {}
  }

  static class OfAnotherManager {
    @Transactional("ledger")
    @HoldfastJmsListener(consumer = "shipping", queue = "orders")
    void ship(String order) {}
  }

  @Transactional(transactionManager = "ledger")
  static class KafkaOfAnotherManager {
    @HoldfastListener(consumer = "shipping", topics = "orders")
    void ship(String order) {}
  }

  static class OfAManagerThatIsNone {
    @Transactional("legder")
    @HoldfastJmsListener(consumer = "shipping", queue = "orders")
    void ship(String order) {}
  }

  static class OfWhicheverManager {
    @Transactional
    @HoldfastJmsListener(consumer = "shipping", queue = "orders")
    void ship(String order) {}
  }

  static class OfTheManager {
    @Transactional("orders")
    @HoldfastJmsListener(consumer = "shipping", queue = "orders")
    void ship(String order) {}
  }

  static class Batch {
    @HoldfastJmsListener(consumer = "shipping", queue = "orders")
    void ship(List<Message> orders) {}
  }

  static class WithSession {
    @HoldfastJmsListener(consumer = "shipping", queue = "orders")
    void ship(Session session) {}
  }

  static class WithHeaders {
    @HoldfastJmsListener(consumer = "shipping", queue = "orders")
    void ship(@Headers Map<String, String> headers) {}
  }

  private static ConnectionFactory jmsFactory() {
    return new ActiveMQConnectionFactory("tcp://127.0.0.1:1");
  }

  private static ConsumerProperties properties(String... more) {
    MockEnvironment environment = new MockEnvironment();
    environment.setProperty("holdfast.consumers.shipping.concurrency", "1");
    set(environment, more);
    return Objects.requireNonNull(
        Binder.get(environment)
            .bindOrCreate("holdfast", HoldfastProperties.class)
            .consumers()
            .get("shipping"));
  }

  private static void set(MockEnvironment environment, String... properties) {
    for (String property : properties) {
      int equals = property.indexOf('=');
      environment.setProperty(
          "holdfast.consumers.shipping." + property.substring(0, equals),
          property.substring(equals + 1));
    }
  }

  private static List<Consumers.Plan> plans(List<Class<?>> listeners, String... properties) {
    MockEnvironment environment = new MockEnvironment();
    set(environment, properties);
    Holdfast here = Objects.requireNonNull(holdfast);
    try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
      context.registerBean(
          "orders",
          DataSourceTransactionManager.class,
          () -> new DataSourceTransactionManager(DATA_SOURCE));
      context.registerBean(
          "ledger",
          DataSourceTransactionManager.class,
          () -> new DataSourceTransactionManager(dataSource()));
      context.registerBean("broker", ConnectionFactory.class, QueueListenersTest::jmsFactory);
      listeners.forEach(context::registerBean);
      context.refresh();
      return new ConsumerPlans(
              context.getBeanFactory(),
              here,
              new TransactionalOutbox(here, DATA_SOURCE),
              Binder.get(environment).bindOrCreate("holdfast", HoldfastProperties.class),
              Map::of,
              new HoldfastAutoConfiguration.ChosenDataSource(DATA_SOURCE),
              context.getBeanProvider(PayloadReader.class))
          .all();
    }
  }

  @Test
  void aListenerIsPlannedForEachConsumer() {
    assertThat(plans(List.of(Jms.class))).singleElement().hasToString(planned("JMS queue orders"));
    assertThat(plans(List.of(JmsTopic.class)))
        .singleElement()
        .hasToString(planned("JMS topic orders"));
    assertThat(plans(List.of(Rabbit.class), "dead-letter=dead", "rabbitmq.uri=amqp://localhost"))
        .singleElement()
        .hasToString(planned("RabbitMQ queue orders"));
  }

  @Test
  void aListenerMayNameTheManagerWhoseTransactionItRunsIn() {
    assertThat(plans(List.of(OfTheManager.class))).hasSize(1);
  }

  private static String planned(String source) {
    return "shipping receives from " + source;
  }

  static Stream<Arguments> unusable() {
    String hush = "rabbitmq.uri=http://me:hush@h";
    String local = "rabbitmq.uri=amqp://localhost";
    String dead = "dead-letter=dead";
    return Stream.of(
        refused(NoConsumer.class, "names no consumer"),
        refused(Nowhere.class, "names neither a queue nor a topic"),
        refused(Everywhere.class, "names a queue and a topic"),
        refused(Unsubscribed.class, "names no subscription of the topic orders"),
        refused(QueueWithSubscription.class, "names a subscription of the queue orders, which has"),
        refused(OtherBrokersMessage.class, "ConsumerRecord<byte[], byte[]>, which is not what"),
        refused(OneKindOfMessage.class, "takes a jakarta.jms.TextMessage, which is not what"),
        refused(Unreadable.class, "java.util.List<java.lang.String>, which nothing here can read"),
        refused(Elsewhere.class, "is @Async", dead, local),
        refused(Jms.class, "attempts is set and dead-letter is not", "attempts=2"),
        refused(Jms.class, "max-parked is set, and the consumer receives from JMS", "max-parked=5"),
        refused(Jms.class, "start-at is set, and the consumer receives from", "start-at=latest"),
        refused(Jms.class, "properties is set, and the consumer receives", "properties.acks=all"),
        refused(Jms.class, "rabbitmq is set, and the consumer", "rabbitmq.prefetch=5"),
        refused(Jms.class, "message-ids.enabled is false", "message-ids.enabled=false"),
        refused(Jms.class, "would be handled twice", "message-ids.retention=1h"),
        refused(Jms.class, "handlerSilence is PT0S, and must be", "handler-silence=0s"),
        refused(Jms.class, "concurrency of a JMS inbox is 0", "concurrency=0"),
        refused(Jms.class, "attempts of a JMS inbox is 0", "attempts=0", dead),
        refused(Jms.class, "closingWait of a JMS inbox is PT2H", "closing-wait=2h"),
        refused(
            Jms.class,
            "holdfast.consumers.shipping.jms.connection-factory is brokr, which is no bean",
            "jms.connection-factory=brokr"),
        refused(
            Jms.class,
            "jms.connection-factory is orders, which is no bean of type jakarta.jms.Connection",
            "jms.connection-factory=orders"),
        refused(
            Rabbit.class,
            "rabbitmq.connection-factory is broker, which is no bean of type com.rabbitmq.client",
            dead,
            "rabbitmq.connection-factory=broker"),
        refused(
            OfAnotherManager.class,
            "is @Transactional of the manager ledger, and what it does there"),
        refused(
            KafkaOfAnotherManager.class,
            "is @Transactional of the manager ledger, and what it does there"),
        refused(OfAManagerThatIsNone.class, "is @Transactional of the manager legder, which is no"),
        refused(OfWhicheverManager.class, "is @Transactional, and of which manager is open"),
        refused(Batch.class, "takes a java.util.List<jakarta.jms.Message>, which is not what"),
        refused(WithSession.class, "takes a jakarta.jms.Session, which is not what comes here"),
        refused(WithHeaders.class, "takes a java.util.Map<java.lang.String, java.lang.String>"),
        refused(NoQueue.class, "names no queue", dead, local),
        refused(Rabbit.class, "does not say what becomes of a message", local),
        refused(Rabbit.class, "says twice what becomes", local, dead, "rabbitmq.reject=true"),
        refused(
            Rabbit.class,
            "dead-letter-exchange is set, and what is given up is rejected",
            local,
            "rabbitmq.reject=true",
            "rabbitmq.dead-letter-exchange=e"),
        refused(
            Rabbit.class, "prefetch of a RabbitMQ inbox is 0", local, dead, "rabbitmq.prefetch=0"),
        refused(
            Rabbit.class, "holdfast.consumers.shipping.rabbitmq.uri cannot be used", dead, hush),
        refused(
            Rabbit.class,
            "Consumer shipping receives from RabbitMQ, and its address is not known",
            dead),
        refused(Rabbit.class, "both uri and", dead, local, "rabbitmq.connection-factory=r"),
        refused(
            Rabbit.class, "jms is set, and the consumer", dead, local, "jms.connection-factory=b"),
        refused(Kafka.class, "dead-letter is set, and the consumer receives from Kafka", dead),
        refused(Kafka.class, "parking is set, and the consumer", "parking=true"),
        refused(Kafka.class, "closing-wait is set, and the consumer", "closing-wait=3s"));
  }

  private static Arguments refused(Class<?> listener, String told, String... properties) {
    return Arguments.of(listener, told, properties);
  }

  @ParameterizedTest
  @MethodSource("unusable")
  void whatCannotBeUsedIsRefusedAndTheReasonTold(
      Class<?> listener, String told, String[] properties) {
    assertThatThrownBy(() -> plans(List.of(listener), properties))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining(told)
        .hasMessageContaining("Nothing was started")
        .satisfies(
            e -> {
              for (Throwable t = e; t != null; t = t.getCause()) {
                assertThat(t.toString()).doesNotContain("hush");
              }
            });
  }

  @Test
  void aConsumerBelongsToOneListenerOfAQueueOfWhicheverBroker() {
    for (Class<?> other : List.of(OtherJms.class, Rabbit.class, Kafka.class)) {
      assertThatThrownBy(() -> plans(List.of(Jms.class, other)))
          .isInstanceOf(InvalidConfiguration.class)
          .hasMessageContaining("The consumer shipping has two listeners")
          .hasMessageContaining("Give each a consumer of its own");
    }
  }

  @Test
  void theDefaultsAreThoseOfTheLibrary() {
    assertThat(RabbitMqConsumers.settings(properties("dead-letter=dead"), "shipping"))
        .isEqualTo(RabbitMqInboxSettings.deadLetteringTo(RabbitMqRoute.toQueue("dead")));
    assertThat(RabbitMqConsumers.settings(properties("rabbitmq.reject=true"), "shipping"))
        .isEqualTo(RabbitMqInboxSettings.rejecting());
    assertThat(properties("rabbitmq.prefetch=10").rabbitmq())
        .isEqualTo(ConsumerProperties.RabbitMqConsumerProperties.DEFAULT);
    assertThat(
            RabbitMqConsumers.settings(
                    properties("dead-letter=key", "rabbitmq.dead-letter-exchange=dead"), "shipping")
                .deadLetter())
        .isEqualTo(new RabbitMqRoute("dead", "key"));
  }

  @Test
  void parkingIsThatOfTheLibraryWithABoundOfItsOwn() {
    assertThat(JmsConsumers.settings(properties("parking=true"), "shipping"))
        .isEqualTo(JmsInboxSettings.DEFAULT.withParking(JmsParking.DEFAULT, 5));
    assertThat(
            JmsConsumers.settings(
                properties("parking=true", "max-parked=7", "attempts=2", "dead-letter=dead"),
                "shipping"))
        .isEqualTo(
            JmsInboxSettings.DEFAULT
                .withDeadLetter(JmsDestination.queue("dead"), 2)
                .withParking(JmsParking.DEFAULT.withMaxParked(7), 2));
    assertThat(
            RabbitMqConsumers.settings(
                properties("parking=true", "max-parked=7", "rabbitmq.reject=true"), "shipping"))
        .isEqualTo(
            RabbitMqInboxSettings.rejecting()
                .withParking(RabbitMqParking.DEFAULT.withMaxParked(7)));
  }

  @Test
  void propertiesPrintNoSecrets() {
    assertThat(properties("rabbitmq.uri=amqp://me:hush@h").toString()).doesNotContain("hush");
    assertThat(String.valueOf(properties("rabbitmq.uri=amqp://me:hush@h").rabbitmq()))
        .doesNotContain("hush");
  }

  @Test
  void idsAreForgottenWhereNothingButAListenerOfAQueueRuns() {
    assertThat(remembersIds(Jms.class)).isTrue();
    assertThat(remembersIds(Rabbit.class)).isTrue();
    assertThat(remembersIds(Kafka.class)).isFalse();
    HoldfastProperties plain =
        Binder.get(new MockEnvironment()).bindOrCreate("holdfast", HoldfastProperties.class);
    assertThat(plain.needsUpkeep(() -> true)).isTrue();
    assertThat(plain.needsUpkeep(() -> false)).isFalse();
  }

  private static boolean remembersIds(Class<?> listener) {
    try (AnnotationConfigApplicationContext context =
        new AnnotationConfigApplicationContext(listener)) {
      return ConsumerPlans.rememberIds(context.getBeanFactory());
    }
  }
}
