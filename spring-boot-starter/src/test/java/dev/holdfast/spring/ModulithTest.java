package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.InvalidMessage;
import dev.holdfast.NoTransaction;
import dev.holdfast.UnroutedTopic;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.event.SimpleApplicationEventMulticaster;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.kafka.support.KafkaNull;
import org.springframework.messaging.support.MessageBuilder;
import org.springframework.modulith.events.EventExternalizationConfiguration;
import org.springframework.modulith.events.Externalized;
import org.springframework.modulith.events.RoutingTarget;
import org.springframework.modulith.events.support.DelegatingEventExternalizer;
import org.springframework.scheduling.support.TaskUtils;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.event.TransactionalEventListener;
import org.springframework.transaction.support.TransactionTemplate;

/** The events of Spring Modulith, with its registry of events beside. */
@Tag("extended")
final class ModulithTest {
  private static final String SCHEMA = TestServers.unique("modulith_");
  private static final Duration SOON = Duration.ofSeconds(30);
  private static @Nullable ConfigurableApplicationContext application;

  // snippet:spring-modulith
  @Externalized("orders.placed::#{#this.id}")
  public record OrderPlaced(String id, int cents) {}

  // end

  @Externalized("modulith.mapped::#{#this.customer()}")
  public record Paid(String id) {}

  /** Nobody reads its topic here: what is recorded is looked at. */
  @Externalized("orders.changed::#{#this.id}")
  public record Changed(String id) {}

  /** What others see of {@link Paid}. */
  public record Payment(String customer) {}

  @Externalized("modulith.prepared")
  public record Erased(String id) {}

  @Externalized("modulith.unordered")
  public record Unordered(String id) {}

  @Externalized("modulith.unordered")
  public record Partitioned(String id) {}

  @Externalized("modulith.prepared::ignored")
  public record Prepared(String id) {}

  @Externalized("unrouted")
  public record Unrouted() {}

  @Externalized("not a topic")
  public record Misnamed() {}

  public record Internal(String id) {}

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    final List<Object> heard = new CopyOnWriteArrayList<>();

    @Bean
    EventExternalizationConfiguration externalization() {
      return EventExternalizationConfiguration.defaults(List.of("dev.holdfast.spring"))
          .mapping(Paid.class, paid -> new Payment("customer of " + paid.id()))
          .mapping(
              Prepared.class,
              prepared ->
                  MessageBuilder.withPayload(prepared.id().getBytes(StandardCharsets.UTF_8))
                      .setHeader("kafka_messageKey", "given")
                      .setHeader("contentType", "text/plain")
                      .build())
          .mapping(
              Erased.class,
              erased ->
                  MessageBuilder.withPayload(KafkaNull.INSTANCE)
                      .setHeader("kafka_messageKey", erased.id())
                      .build())
          .headers(
              Payment.class,
              payment ->
                  Map.of(
                      "ce_type",
                      "com.example.payment",
                      "ce_id",
                      new UUID(1, 2),
                      "tenant",
                      "acme",
                      "attempt",
                      1))
          .headers(Partitioned.class, event -> Map.of("kafka_partitionId", 1))
          .build();
    }

    @TransactionalEventListener
    void on(OrderPlaced placed) {
      heard.add(placed);
    }
  }

  @BeforeAll
  static void start() {
    for (String topic :
        List.of(
            "orders.placed",
            "orders.changed",
            "modulith.mapped",
            "modulith.unordered",
            "modulith.prepared")) {
      TestServers.Broker.KAFKA.createTopic(topic, 1);
    }
    application =
        Apps.start(
            Application.class,
            SCHEMA,
            "modulith.*,orders.*",
            "spring.autoconfigure.exclude=" + Apps.WITHOUT_JPA,
            "spring.modulith.events.jdbc.schema-initialization.enabled=true",
            "holdfast.channels.orders.target=kafka",
            "spring.kafka.bootstrap-servers=" + TestServers.Broker.KAFKA.bootstrapServers());
  }

  @AfterAll
  static void stop() {
    Objects.requireNonNull(application).close();
  }

  private final ApplicationEventPublisher events = Objects.requireNonNull(application);
  private final JdbcTemplate jdbc = bean(JdbcTemplate.class);

  private static <T> T bean(Class<T> type) {
    return Objects.requireNonNull(application).getBean(type);
  }

  private static TransactionTemplate transaction() {
    return new TransactionTemplate(bean(PlatformTransactionManager.class));
  }

  private void inTransaction(Object... published) {
    transaction().executeWithoutResult(status -> List.of(published).forEach(events::publishEvent));
  }

  private List<String> recorded(String topic) {
    return jdbc.queryForList(
        "select key from " + SCHEMA + ".message where topic = ? order by position",
        String.class,
        topic);
  }

  private static String header(ConsumerRecord<String, String> record, String name) {
    return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
  }

  @Test
  void anEventIsOneRecordWithTheRoutingOfItsAnnotationAndModulithKeepsNoneOfItsOwn() {
    inTransaction(new OrderPlaced("a-1", 5), new OrderPlaced("a-2", 6), new Internal("none"));

    List<ConsumerRecord<String, String>> records = TestServers.read("orders.placed", 2);
    assertThat(records).extracting(ConsumerRecord::key).containsExactly("a-1", "a-2");
    assertThat(records.get(0).value()).isEqualTo("{\"id\":\"a-1\",\"cents\":5}");
    assertThat(header(records.get(0), "ce_type")).isEqualTo("orders.placed");
    assertThat(header(records.get(0), "content-type")).isEqualTo("application/json");
    // The application's own listener has been called, and is what the registry knows of.
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> assertThat(bean(Application.class).heard).contains(new OrderPlaced("a-1", 5)));
    assertThat(
            jdbc.queryForList(
                "select distinct listener_id from event_publication where event_type like '%OrderPlaced'",
                String.class))
        .singleElement()
        .asString()
        .contains("ModulithTest$Application.on(");
    assertThat(recorded("orders.placed")).contains("a-1", "a-2").doesNotHaveDuplicates();
  }

  @Test
  void theMappedEventIsSentWithTheHeadersAndTheKeyThatAreConfiguredForIt() {
    inTransaction(new Paid("7"));

    ConsumerRecord<String, String> record = TestServers.read("modulith.mapped", 1).get(0);
    assertThat(record.key()).isEqualTo("customer of 7");
    assertThat(record.value()).isEqualTo("{\"customer\":\"customer of 7\"}");
    assertThat(header(record, "ce_type")).isEqualTo("com.example.payment");
    assertThat(record.headers().headers("ce_type")).hasSize(1);
    assertThat(header(record, "ce_id")).isEqualTo(new UUID(1, 2).toString());
    assertThat(header(record, "tenant")).isEqualTo("acme");
    assertThat(header(record, "attempt")).isEqualTo("1");
  }

  @Test
  void anEventThatIsMappedToAMessageOfSpringKeepsThatOnesBytesKeyAndContentType() {
    inTransaction(new Prepared("ready"), new Erased("gone"));

    List<ConsumerRecord<String, String>> records = TestServers.read("modulith.prepared", 2);
    ConsumerRecord<String, String> record = records.get(0);
    assertThat(record.key()).isEqualTo("given");
    assertThat(record.value()).isEqualTo("ready");
    assertThat(header(record, "content-type")).isEqualTo("text/plain");
    assertThat(record.headers().lastHeader("id")).isNull();
    assertThat(records.get(1).key()).isEqualTo("gone");
    assertThat(records.get(1).value()).isNull();
  }

  @Test
  void withoutAKeyInTheRoutingThereIsNone() {
    inTransaction(new Unordered("7"));

    ConsumerRecord<String, String> record = TestServers.read("modulith.unordered", 1).get(0);
    assertThat(record.key()).isNull();
    assertThat(record.value()).isEqualTo("{\"id\":\"7\"}");
  }

  @Test
  void aRollbackLeavesNothingAndATransactionOfItsOwnHasItsOwn() {
    TransactionTemplate own = transaction();
    own.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
    transaction()
        .executeWithoutResult(
            status -> {
              events.publishEvent(new Changed("rolled back"));
              own.executeWithoutResult(inner -> events.publishEvent(new Changed("own")));
              status.setRollbackOnly();
            });

    assertThat(recorded("orders.changed")).contains("own").doesNotContain("rolled back");
  }

  @Test
  void anEventOutsideATransactionIsRefused() {
    assertThatThrownBy(() -> events.publishEvent(new Changed("nowhere")))
        .isInstanceOf(NoTransaction.class)
        .hasMessageContaining("ModulithTest$Changed is externalized")
        .hasMessageContaining("There is no transaction");
    events.publishEvent(new Internal("is none of Holdfast's"));

    assertThat(recorded("orders.changed")).doesNotContain("nowhere");
  }

  @Test
  void anEventThatCannotBeRecordedFailsTheTransactionEvenIfThatIsCaught() {
    assertThatThrownBy(() -> inTransaction(new Unrouted())).isInstanceOf(UnroutedTopic.class);
    assertThatThrownBy(() -> inTransaction(new Partitioned("is not for the application to say")))
        .isInstanceOf(InvalidMessage.class)
        .hasMessageContaining("kafka_partitionId");
    assertThatThrownBy(
            () ->
                transaction()
                    .executeWithoutResult(
                        status -> {
                          events.publishEvent(new Changed("with a misnamed"));
                          assertThatThrownBy(() -> events.publishEvent(new Misnamed()))
                              .isInstanceOf(InvalidMessage.class);
                        }))
        .isInstanceOf(InvalidMessage.class)
        .hasMessageContaining("not a topic");
    assertThat(recorded("orders.changed")).doesNotContain("with a misnamed");

    // What is rolled back to its savepoint takes its refusal along.
    TransactionTemplate nested = transaction();
    nested.setPropagationBehavior(TransactionDefinition.PROPAGATION_NESTED);
    transaction()
        .executeWithoutResult(
            status -> {
              events.publishEvent(new Changed("around"));
              assertThatThrownBy(
                      () ->
                          nested.executeWithoutResult(inner -> events.publishEvent(new Misnamed())))
                  .isInstanceOf(InvalidMessage.class);
            });
    assertThat(recorded("orders.changed")).contains("around");
  }

  /** Calls listeners on other threads, and goes on whatever they throw. */
  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Asynchronous {
    @Bean
    SimpleApplicationEventMulticaster applicationEventMulticaster() {
      SimpleApplicationEventMulticaster multicaster = new SimpleApplicationEventMulticaster();
      multicaster.setTaskExecutor(new SimpleAsyncTaskExecutor());
      multicaster.setErrorHandler(TaskUtils.LOG_AND_SUPPRESS_ERROR_HANDLER);
      return multicaster;
    }
  }

  @Test
  void listenersThatAreCalledOnOtherThreadsAndMayFailChangeNothing() {
    try (ConfigurableApplicationContext asynchronous =
        Apps.start(
            Asynchronous.class,
            SCHEMA,
            "modulith.*,orders.*",
            "spring.autoconfigure.exclude="
                + Apps.WITHOUT_JPA
                + ",org.springframework.modulith.events.config.EventPublicationAutoConfiguration"
                + ",org.springframework.modulith.events.jdbc.JdbcEventPublicationAutoConfiguration")) {
      TransactionTemplate transaction =
          new TransactionTemplate(asynchronous.getBean(PlatformTransactionManager.class));
      transaction.executeWithoutResult(
          status -> asynchronous.publishEvent(new Changed("on its thread")));
      assertThatThrownBy(
              () ->
                  transaction.executeWithoutResult(
                      status -> {
                        asynchronous.publishEvent(new Changed("with a suppressed"));
                        asynchronous.publishEvent(new Misnamed());
                      }))
          .isInstanceOf(InvalidMessage.class);
    }
    assertThat(recorded("orders.changed"))
        .contains("on its thread")
        .doesNotContain("with a suppressed");
  }

  @Configuration(proxyBeanMethods = false)
  static class Externalizer {
    @Bean
    @SuppressWarnings("removal") // It is what both versions of Modulith have.
    DelegatingEventExternalizer another(EventExternalizationConfiguration configuration) {
      return new DelegatingEventExternalizer(
          configuration, (RoutingTarget target, Object event) -> new CompletableFuture<>());
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @Import(Externalizer.class)
  static class WithAnother {}

  @Test
  void anotherExternalizerBesideFailsTheStartUnlessHoldfastIsToldToLeaveTheEvents() {
    String[] properties = {
      "spring.autoconfigure.exclude=" + Apps.WITHOUT_JPA,
      "spring.modulith.events.jdbc.schema-initialization.enabled=true"
    };
    assertThatThrownBy(
            () -> Apps.start(WithAnother.class, SCHEMA, "modulith.*,orders.*", properties))
        .hasStackTraceContaining("Spring Modulith's externalizers [another]")
        .hasStackTraceContaining("holdfast.modulith.enabled=false");
    assertThatThrownBy(
            () ->
                Apps.start(
                    Apps.Plain.class,
                    SCHEMA,
                    "modulith.*,orders.*",
                    properties[0],
                    properties[1],
                    "spring.modulith.events.externalization.mode=outbox"))
        .hasStackTraceContaining("mode=outbox has another outbox send");
    try (ConfigurableApplicationContext two =
        Apps.start(
            WithAnother.class,
            SCHEMA,
            "modulith.*,orders.*",
            properties[0],
            properties[1],
            "holdfast.modulith.enabled=false")) {
      two.publishEvent(new Changed("left to the other"));
      assertThat(two.getBeansOfType(ExternalizedEvents.class)).isEmpty();
    }
    assertThat(recorded("orders.changed")).doesNotContain("left to the other");
  }

  @Configuration(proxyBeanMethods = false)
  static class Database {
    @Bean
    DataSource dataSource() {
      return new DriverManagerDataSource(TestServers.POSTGRES.jdbcUrl());
    }
  }

  @Test
  void withoutModulithOrItsExternalizationNothingIsLoaded() {
    ApplicationContextRunner runner =
        new ApplicationContextRunner()
            .withUserConfiguration(Database.class)
            .withConfiguration(
                AutoConfigurations.of(
                    HoldfastAutoConfiguration.class, HoldfastModulithAutoConfiguration.class))
            .withPropertyValues("holdfast.schema=" + SCHEMA, "holdfast.relay.enabled=false");
    runner
        .withClassLoader(new FilteredClassLoader("org.springframework.modulith"))
        .run(ModulithTest::onlyTheOutbox);
    runner
        .withUserConfiguration(Application.class)
        .withPropertyValues(
            "spring.autoconfigure.exclude=" + Apps.WITHOUT_JPA,
            "spring.flyway.enabled=false",
            "spring.liquibase.enabled=false",
            "spring.modulith.events.externalization.enabled=false")
        .run(ModulithTest::onlyTheOutbox);
    // The conditions themselves do hold.
    runner
        .withUserConfiguration(Application.class)
        .withPropertyValues(
            "spring.autoconfigure.exclude=" + Apps.WITHOUT_JPA,
            "spring.flyway.enabled=false",
            "spring.liquibase.enabled=false")
        .run(context -> assertThat(context).hasSingleBean(ExternalizedEvents.class));
  }

  private static void onlyTheOutbox(AssertableApplicationContext context) {
    assertThat(context)
        .hasNotFailed()
        .hasSingleBean(TransactionalOutbox.class)
        .doesNotHaveBean(HoldfastModulithAutoConfiguration.class);
  }
}
