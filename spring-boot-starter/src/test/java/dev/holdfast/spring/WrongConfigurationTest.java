package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.jms.JmsInboxSettings;
import dev.holdfast.kafka.inbox.KafkaInboxSettings;
import dev.holdfast.outbox.RelaySettings;
import dev.holdfast.projection.ProjectionSettings;
import dev.holdfast.twophase.TwoPhaseSettings;
import dev.holdfast.workflow.WorkflowSettings;
import java.util.Objects;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.mock.env.MockEnvironment;

/** What is configured wrongly is told at the start, with what to do. */
@ExtendWith(OutputCaptureExtension.class)
final class WrongConfigurationTest {
  private final String schema = TestServers.unique("bad_");

  @Test
  void aPropertyThatDoesNotExistFailsTheStartAndTheOneThatWasMeantIsNamed(CapturedOutput output) {
    assertThatThrownBy(
        () -> Apps.start(Apps.Plain.class, schema, "a", "holdfast.relay.lease-durration=3s"));

    assertThat(output)
        .contains("There is no property holdfast.relay.lease-durration")
        .contains("Did you mean holdfast.relay.lease-duration?");
  }

  @ParameterizedTest
  @CsvSource({
    "holdfast.chanels.orders.topics,   holdfast.channels.orders.topics",
    "holdfast.channels.orders.topic,   holdfast.channels.orders.topics",
    "holdfast.migrations,              holdfast.migrate",
    "holdfast.two-phase.decide-in,     holdfast.two-phase.decide-within",
    "holdfast.relay.page-bytes,        holdfast.relay.page-size",
    "holdfast.workflows.leas,          holdfast.workflow.lease",
    "holdfast.consumers.billing.attempt, holdfast.consumers.billing.attempts",
    "holdfast.consumers.billing.message-ids.retain, holdfast.consumers.billing.message-ids.retention",
  })
  void theNearestPropertyIsFound(String unknown, String meant) {
    assertThat(UnknownPropertyFailureAnalyzer.nearest(unknown)).isEqualTo(meant);
  }

  @Test
  void theDefaultsAreThoseOfTheLibrary() {
    HoldfastProperties defaults =
        Binder.get(new MockEnvironment()).bindOrCreate("holdfast", HoldfastProperties.class);

    assertThat(defaults.relay().settings()).isEqualTo(RelaySettings.DEFAULT);
    assertThat(defaults.twoPhase().settings()).isEqualTo(TwoPhaseSettings.DEFAULT);
    assertThat(defaults.workflow().settings()).isEqualTo(WorkflowSettings.DEFAULT);
    assertThat(defaults.projections().settings()).isEqualTo(ProjectionSettings.DEFAULT);
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class TwoDataSources {
    @Bean
    DataSource orders() {
      return new DriverManagerDataSource(TestServers.POSTGRES.jdbcUrl());
    }

    @Bean
    DataSource reports() {
      return new DriverManagerDataSource(TestServers.POSTGRES.jdbcUrl());
    }
  }

  @Test
  void twoDataSourcesOfWhichNoneIsMarkedFailTheStart(CapturedOutput output) {
    assertThatThrownBy(() -> Apps.start(TwoDataSources.class, schema, "a"))
        .hasRootCauseInstanceOf(InvalidConfiguration.class);

    assertThat(output)
        .contains("APPLICATION FAILED TO START")
        .contains("several DataSources [orders, reports]")
        .contains("@HoldfastDataSource");
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class MarkedDataSource {
    @Bean
    @HoldfastDataSource
    DataSource orders() {
      return new DriverManagerDataSource(TestServers.POSTGRES.jdbcUrl());
    }

    @Bean
    DataSource reports() {
      return new DriverManagerDataSource("jdbc:postgresql://127.0.0.1:1/none");
    }
  }

  @Test
  void theMarkedOfTwoDataSourcesIsUsedAndAMissingTransactionManagerIsTold(CapturedOutput output) {
    try (ConfigurableApplicationContext application =
        Apps.start(MarkedDataSource.class, schema, "a")) {
      DataSource orders = application.getBean("orders", DataSource.class);
      assertThat(
              new JdbcTemplate(orders)
                  .queryForObject("select count(*) from " + schema + ".message", Long.class))
          .isZero();
    }

    assertThat(output).contains("No transaction manager belongs to Holdfast's DataSource");
  }

  @Test
  void theDefaultsOfAConsumerAreThoseOfTheLibrary() {
    ConsumerProperties bound =
        Binder.get(
                new MockEnvironment().withProperty("holdfast.consumers.billing.concurrency", "1"))
            .bindOrCreate("holdfast", HoldfastProperties.class)
            .consumers()
            .get("billing");

    assertThat(bound).isEqualTo(ConsumerProperties.DEFAULT);
    assertThat(KafkaConsumers.settings(ConsumerProperties.DEFAULT, "billing"))
        .isEqualTo(KafkaInboxSettings.DEFAULT);
    assertThat(JmsConsumers.settings(ConsumerProperties.DEFAULT, "billing"))
        .isEqualTo(JmsInboxSettings.DEFAULT);
    assertThat(ConsumerProperties.DEFAULT.inbox("billing")).isEqualTo(InboxSettings.DEFAULT);
  }

  @Test
  void anyPropertyOfMessageIdsTurnsThemOnWithTheLibrarysDefaults() {
    ConsumerProperties bound =
        Binder.get(
                new MockEnvironment()
                    .withProperty("holdfast.consumers.billing.message-ids.enabled", "true"))
            .bindOrCreate("holdfast", HoldfastProperties.class)
            .consumers()
            .get("billing");

    assertThat(KafkaConsumers.settings(Objects.requireNonNull(bound), "billing").messageIds())
        .isEqualTo(InboxSettings.DEFAULT);
  }

  static class Billing {
    @HoldfastListener(consumer = "billing", topics = "orders.placed")
    void bill(String order) {}
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class WithListener {
    @Bean
    Billing billing() {
      return new Billing();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "holdfast.consumers.biling.attempts=2 | names [biling], of which there is no @HoldfastListener, @HoldfastJmsListener or @HoldfastRabbitListener; there are [billing]",
        "holdfast.consumers.billing.start-at=yesterday | start-at is yesterday, and must be earliest, latest",
        "holdfast.consumers.billing.concurrency=0 | concurrency is 0, and must be 1 to 100",
        "holdfast.consumers.billing.attempts=0 | attempts is 0, and must be 1 to 100",
        "holdfast.consumers.billing.properties.group.id=other | group.id is Holdfast's own to set",
      })
  void aConsumerThatIsConfiguredWronglyFailsTheStart(String property, String told) {
    assertThatThrownBy(
            () ->
                Apps.start(
                    WithListener.class,
                    schema,
                    "a",
                    "spring.kafka.bootstrap-servers=127.0.0.1:1",
                    property))
        .hasStackTraceContaining(told)
        .hasStackTraceContaining("Nothing was started");
  }

  @Test
  void listenersThatAreSwitchedOffAreNotStarted() {
    try (ConfigurableApplicationContext application =
        Apps.start(WithListener.class, schema, "a", "holdfast.listeners.enabled=false")) {
      assertThat(application.getBean(Consumers.class).status()).isEmpty();
      assertThat(
              new JdbcTemplate(application.getBean(DataSource.class))
                  .queryForList("select name from " + schema + ".log_consumer"))
          .isEmpty();
    }
  }

  @Test
  void listenersOfLazyBeansAreStarted() {
    try (ConfigurableApplicationContext application =
        Apps.start(
            WithListener.class,
            schema,
            "a",
            "spring.main.lazy-initialization=true",
            "spring.kafka.bootstrap-servers=127.0.0.1:1")) {
      assertThat(
              new JdbcTemplate(application.getBean(DataSource.class))
                  .queryForList("select name from " + schema + ".log_consumer", String.class))
          .containsExactly("billing");
    }
  }

  @Test
  void aListenerWithoutATransactionManagerOfTheDataSourceFailsTheStart() {
    assertThatThrownBy(
            () ->
                Apps.start(
                    ListenerWithoutManager.class,
                    schema,
                    "a",
                    "spring.kafka.bootstrap-servers=127.0.0.1:1"))
        .hasStackTraceContaining("None of the transaction managers [] belongs to");
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class ListenerWithoutManager extends MarkedDataSource {
    @Bean
    Billing billing() {
      return new Billing();
    }
  }

  @Test
  void aTargetThatIsNoBeanFailsTheStart() {
    assertThatThrownBy(
            () ->
                Apps.start(Apps.Plain.class, schema, "a", "holdfast.channels.orders.target=kafak"))
        .hasStackTraceContaining("holdfast.channels.orders.target is kafak");
  }

  @Test
  void anAddressThatIsNoneIsNamed(CapturedOutput output) {
    try (ConfigurableApplicationContext application =
        Apps.start(
            Apps.Plain.class,
            schema,
            "orders.placed",
            "holdfast.channels.orders.target=kafka-plain",
            "spring.kafka.bootstrap-servers=no-port")) {
      assertThat(application.isRunning()).isTrue();
    }

    assertThat(output).contains("Invalid url in bootstrap.servers: no-port");
  }

  @Test
  void aBrokerThatIsDownDoesNotKeepTheApplicationFromStarting(CapturedOutput output) {
    try (ConfigurableApplicationContext application =
        Apps.start(
            Apps.Plain.class,
            schema,
            "orders.placed",
            "holdfast.channels.orders.target=kafka-plain",
            "spring.kafka.bootstrap-servers=127.0.0.1:1",
            "holdfast.channels.orders.properties.request.timeout.ms=500",
            "holdfast.channels.orders.properties.default.api.timeout.ms=500")) {
      assertThat(application.isRunning()).isTrue();
    }

    assertThat(output).contains("could not be asked for the topics of channel orders");
  }
}
