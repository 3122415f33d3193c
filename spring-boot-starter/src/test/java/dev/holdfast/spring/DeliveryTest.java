package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.SchemaMismatch;
import dev.holdfast.outbox.store.StoreProvider;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.persistence.Entity;
import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.Id;
import jakarta.persistence.PreUpdate;
import jakarta.persistence.Table;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.boot.autoconfigure.AutoConfigurationPackage;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.orm.jpa.SharedEntityManagerCreator;
import org.springframework.test.util.ReflectionTestUtils;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** The whole application, up to Kafka. */
@ExtendWith(OutputCaptureExtension.class)
final class DeliveryTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  private final String schema = TestServers.unique("delivery_");
  private final String topic = TestServers.unique("orders.delivered");

  private static final String TO_KAFKA = "holdfast.channels.orders.target=kafka";

  private static String broker() {
    return "spring.kafka.bootstrap-servers=" + TestServers.Broker.KAFKA.bootstrapServers();
  }

  private static void publish(ConfigurableApplicationContext application, Message message) {
    new TransactionTemplate(application.getBean(PlatformTransactionManager.class))
        .executeWithoutResult(
            status -> application.getBean(TransactionalOutbox.class).publish(message));
  }

  @Test
  void aMessageArrivesAndTheMetersTellAndTheRelayEndsBeforeThePool(CapturedOutput output) {
    TestServers.Broker.KAFKA.createTopic(topic, 1);
    // The template's own settings must not keep Holdfast from using the rest.
    try (ConfigurableApplicationContext application =
        Apps.start(
            Apps.Plain.class,
            schema,
            topic,
            TO_KAFKA,
            broker(),
            "spring.kafka.producer.acks=1",
            "spring.kafka.producer.client-id=shop")) {
      publish(application, Message.of(topic, "4711", "{\"cents\":1}"));

      List<ConsumerRecord<String, String>> records = TestServers.read(topic, 1);
      assertThat(records).extracting(ConsumerRecord::key).containsExactly("4711");
      MeterRegistry registry = application.getBean(MeterRegistry.class);
      await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(registry.get("holdfast.delivered").functionCounter().count())
                      .isEqualTo(1));
      assertThat(registry.get("holdfast.recorded").counter().count()).isEqualTo(1);
    }

    // Released by its holder, rather than run out.
    JdbcTemplate jdbc = new JdbcTemplate(dataSource());
    assertThat(
            jdbc.queryForObject(
                "select count(*) from " + schema + ".lease where expires_at > now()", Long.class))
        .isZero();
    assertThat(output).doesNotContain("has been closed").doesNotContain("ERROR");
  }

  private static PGSimpleDataSource dataSource() {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(TestServers.POSTGRES.jdbcUrl());
    return dataSource;
  }

  @Test
  void aTopicThatTheBrokerLacksFailsTheStartUnlessOnlyAWarningIsWanted(CapturedOutput output) {
    assertThatThrownBy(() -> Apps.start(Apps.Plain.class, schema, topic, TO_KAFKA, broker()))
        .hasStackTraceContaining("topic " + topic + " of channel orders does not exist")
        .hasStackTraceContaining("holdfast.topic-check=warn");
    try (ConfigurableApplicationContext application =
        Apps.start(
            Apps.Plain.class, schema, topic, TO_KAFKA, broker(), "holdfast.topic-check=warn")) {
      assertThat(application.isRunning()).isTrue();
    }

    assertThat(output).contains("WARN").contains("topic " + topic + " of channel orders");
  }

  @Tag("long")
  @Test
  void aTopicWithoutRightsFailsTheStart() throws Exception {
    String seen = topic + ".seen";
    TestServers.Broker.KAFKA.createTopic(topic, 1);
    TestServers.Broker.KAFKA.createTopic(seen, 1);
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", TestServers.Broker.KAFKA.bootstrapServers()))) {
      admin
          .createAcls(
              List.of(
                  allow(topic, "User:other", AclOperation.WRITE),
                  allow(seen, "User:ANONYMOUS", AclOperation.DESCRIBE)))
          .all()
          .get(30, TimeUnit.SECONDS);
    }

    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThatThrownBy(
                        () ->
                            Apps.start(
                                Apps.Plain.class, schema, topic + "," + seen, TO_KAFKA, broker()))
                    .hasStackTraceContaining(
                        "topic " + topic + " of channel orders may not be seen by this user")
                    .hasStackTraceContaining(
                        "topic " + seen + " of channel orders may not be written to"));
  }

  private static AclBinding allow(String topic, String user, AclOperation operation) {
    return new AclBinding(
        new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
        new AccessControlEntry(user, "*", operation, AclPermissionType.ALLOW));
  }

  @Test
  void tablesThatFlywayCreatesAreThereWhenHoldfastStarts(@TempDir Path migrations)
      throws Exception {
    assertThatThrownBy(
            () -> Apps.start(Apps.Plain.class, schema, "orders.*", "holdfast.migrate=false"))
        .hasRootCauseInstanceOf(SchemaMismatch.class);
    StoreProvider provider = ServiceLoader.load(StoreProvider.class).iterator().next();
    Files.writeString(
        migrations.resolve("V1__holdfast.sql"),
        provider.open(dataSource(), schema).schema().print(0));

    try (ConfigurableApplicationContext application =
        Apps.start(
            Apps.Plain.class,
            schema,
            "orders.*",
            "holdfast.migrate=false",
            "spring.flyway.enabled=true",
            "spring.flyway.default-schema=" + schema + "_history",
            "spring.flyway.locations=filesystem:" + migrations)) {
      publish(application, Message.of("orders.placed", "k", "{}"));
      assertThat(
              application
                  .getBean(JdbcTemplate.class)
                  .queryForObject("select count(*) from " + schema + ".message", Long.class))
          .isEqualTo(1);
    }
  }

  @Test
  void tablesThatLiquibaseCreatesAreThereWhenHoldfastStarts(@TempDir Path changes)
      throws Exception {
    StoreProvider provider = ServiceLoader.load(StoreProvider.class).iterator().next();
    Path changelog = changes.resolve("changelog.sql");
    Files.writeString(
        changelog,
        "-- liquibase formatted sql\n-- changeset shop:1 splitStatements:false\n"
            + provider.open(dataSource(), schema).schema().print(0));
    String history = schema + "_history";
    new JdbcTemplate(dataSource()).execute("create schema " + history);

    try (ConfigurableApplicationContext application =
        Apps.start(
            Apps.Plain.class,
            schema,
            "orders.*",
            "holdfast.migrate=false",
            "spring.liquibase.enabled=true",
            "spring.liquibase.liquibase-schema=" + history,
            "spring.liquibase.change-log=file:" + changelog)) {
      publish(application, Message.of("orders.placed", "k", "{}"));
      assertThat(
              application
                  .getBean(JdbcTemplate.class)
                  .queryForObject("select count(*) from " + schema + ".message", Long.class))
          .isEqualTo(1);
    }
  }

  /** Publishes when it is flushed. */
  @Entity(name = "Parcel")
  @Table(name = "parcel")
  static class Parcel {
    static Consumer<Parcel> onChange = parcel -> {};

    @Id int id;
    @Nullable String status;

    @PreUpdate
    void changed() {
      onChange.accept(this);
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @AutoConfigurationPackage
  static class JpaApplication {}

  @Test
  void aTransactionOfJpaIsJoinedAndWhatItsFlushPublishesIsNotLost() {
    try (ConfigurableApplicationContext application =
        Apps.start(
            JpaApplication.class,
            schema,
            "orders.*",
            "spring.autoconfigure.exclude=" + Apps.WITHOUT_MODULITH,
            "spring.jpa.hibernate.ddl-auto=update",
            "spring.jpa.open-in-view=false")) {
      TransactionalOutbox outbox = application.getBean(TransactionalOutbox.class);
      Parcel.onChange = parcel -> outbox.publish(Message.of(topic, "parcel-" + parcel.id, "{}"));
      EntityManager entities =
          SharedEntityManagerCreator.createSharedEntityManager(
              application.getBean(EntityManagerFactory.class));
      TransactionTemplate transactions =
          new TransactionTemplate(application.getBean(PlatformTransactionManager.class));
      transactions.executeWithoutResult(
          status -> {
            Parcel parcel = new Parcel();
            parcel.id = 7;
            entities.persist(parcel);
            outbox.publish(Message.of(topic, "placed", "{}"));
          });
      transactions.executeWithoutResult(
          status -> {
            entities.find(Parcel.class, 7).status = "SENT";
            outbox.publish(Message.of(topic, "sent", "{}"));
          });
      transactions.executeWithoutResult(
          status -> {
            entities.find(Parcel.class, 7).status = "LOST";
            outbox.publish(Message.of(topic, "rolled back", "{}"));
            status.setRollbackOnly();
          });

      assertThat(
              application
                  .getBean(JdbcTemplate.class)
                  .queryForList(
                      "select key from " + schema + ".message where topic = ? order by position",
                      String.class,
                      topic))
          .containsExactly("placed", "sent", "parcel-7");
    }
  }

  @Test
  void aRelayThatIsSwitchedOffOnlyRecords() {
    Apps.start(Apps.Plain.class, schema, "orders.*").close();
    try (ConfigurableApplicationContext application =
        Apps.start(Apps.Plain.class, schema, "orders.*", "holdfast.relay.enabled=false")) {
      publish(application, Message.of("orders.placed", "k", "{}"));

      assertThat(application.getBean(Holdfast.class).status()).isEmpty();
      assertThat(
              application
                  .getBean(JdbcTemplate.class)
                  .queryForObject("select count(*) from " + schema + ".message", Long.class))
          .isEqualTo(1);
    }
  }

  @Test
  void aTargetThatIsDownShowsInTheHealth() {
    try (ConfigurableApplicationContext application =
        Apps.start(Apps.Plain.class, schema, "orders.*")) {
      // A type of another package in each version of Spring Boot.
      Object indicator = application.getBean("holdfastHealthIndicator");
      await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(ReflectionTestUtils.<Object>invokeMethod(indicator, "health"))
                      .asString()
                      .startsWith("DOWN")
                      .contains("phase=BLOCKED")
                      .contains("There is nothing to reach."));
    }
  }
}
