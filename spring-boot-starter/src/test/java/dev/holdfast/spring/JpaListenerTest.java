package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Message;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.Id;
import jakarta.persistence.PersistenceContext;
import jakarta.persistence.PrePersist;
import jakarta.persistence.Table;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfigurationPackage;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Records that are handled with JPA: its entity managers take part in the commit, or are refused.
 */
@Tag("extended")
final class JpaListenerTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  private final String schema = TestServers.unique("jpa_listening_");
  private final String topic = TestServers.unique("letters.");

  /** Publishes when it is flushed. */
  @Entity(name = "Letter")
  @Table(name = "letter")
  static class Letter {
    static @Nullable TransactionalOutbox outbox;

    @Id String id = "";

    @Column(nullable = false)
    @Nullable String address;

    @PrePersist
    void persisted() {
      Objects.requireNonNull(outbox).publish(Message.of("letters.persisted", id, "{}"));
    }
  }

  static class Post {
    @PersistenceContext @Nullable EntityManager entities;
    private final JdbcTemplate jdbc;
    private final PlatformTransactionManager manager;
    private final ObjectProvider<JdbcTransactionManager> jdbcManager;

    Post(
        JdbcTemplate jdbc,
        PlatformTransactionManager manager,
        ObjectProvider<JdbcTransactionManager> jdbcManager) {
      this.jdbc = jdbc;
      this.manager = manager;
      this.jdbcManager = jdbcManager;
    }

    @HoldfastListener(consumer = "post", topics = "${test.topic}")
    void handle(String id) {
      if (id.equals("nested")) {
        TransactionTemplate nested = new TransactionTemplate(manager);
        nested.setPropagationBehavior(TransactionDefinition.PROPAGATION_NESTED);
        nested.executeWithoutResult(status -> jdbc.update("insert into stamp values ('nested')"));
      }
      if (id.equals("foreign")) {
        TransactionTemplate foreign =
            new TransactionTemplate(Objects.requireNonNull(jdbcManager.getIfAvailable()));
        foreign.executeWithoutResult(status -> jdbc.update("insert into stamp values ('foreign')"));
      }
      Letter letter = new Letter();
      letter.id = id;
      // Without an address the database refuses it, when it is flushed.
      letter.address = id.equals("bad") ? null : "here";
      Objects.requireNonNull(entities).persist(letter);
      jdbc.update("insert into stamp values (?)", id);
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @AutoConfigurationPackage
  static class JpaApplication {
    @Bean
    Post post(
        JdbcTemplate jdbc,
        PlatformTransactionManager manager,
        ObjectProvider<JdbcTransactionManager> jdbcManager) {
      jdbc.execute("create table if not exists stamp (id text)");
      return new Post(jdbc, manager, jdbcManager);
    }
  }

  /** A manager of JDBC alone, whose transactions entity managers know nothing of. */
  @Configuration(proxyBeanMethods = false)
  static class JdbcManager {
    @Bean
    PlatformTransactionManager transactionManager(DataSource dataSource) {
      return new JdbcTransactionManager(dataSource);
    }
  }

  @Configuration(proxyBeanMethods = false)
  @org.springframework.context.annotation.Import(JdbcManager.class)
  static class Apart extends JpaApplication {}

  /** Two managers of one DataSource, of which that of JDBC does not see what the other begins. */
  @Configuration(proxyBeanMethods = false)
  static class TwoManagers extends JpaApplication {
    @Bean
    @Primary
    JpaTransactionManager transactionManager(EntityManagerFactory factory) {
      return new JpaTransactionManager(factory);
    }

    @Bean
    JdbcTransactionManager jdbcManager(DataSource dataSource) {
      return new JdbcTransactionManager(dataSource);
    }
  }

  private ConfigurableApplicationContext start(Class<?> application) {
    return Apps.start(
        application,
        schema,
        "letters.*",
        "spring.kafka.bootstrap-servers=" + TestServers.Broker.KAFKA.bootstrapServers(),
        "spring.autoconfigure.exclude=" + Apps.WITHOUT_MODULITH,
        "spring.jpa.hibernate.ddl-auto=update",
        "spring.jpa.properties.hibernate.check_nullability=false",
        "spring.jpa.open-in-view=false",
        "test.topic=" + topic);
  }

  @Test
  void anEntityIsPersistedInTheRecordsTransactionAndOneThatIsRefusedAtTheFlushIsParked() {
    TestServers.Broker.KAFKA.createTopic(topic, 1);
    try (ConfigurableApplicationContext application = start(JpaApplication.class)) {
      Letter.outbox = application.getBean(TransactionalOutbox.class);
      JdbcTemplate jdbc = application.getBean(JdbcTemplate.class);
      jdbc.update("delete from stamp");
      jdbc.update("delete from letter");
      ListenerApp.send(
          List.of(
              new ProducerRecord<>(topic, "a", "first"),
              new ProducerRecord<>(topic, "b", "bad"),
              new ProducerRecord<>(topic, "c", "nested"),
              new ProducerRecord<>(topic, "d", "last")));
      await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(
                          jdbc.queryForList(
                              "select next_offset from " + schema + ".log_offset", Long.class))
                      .containsExactly(4L));

      assertThat(jdbc.queryForList("select id from letter order by id", String.class))
          .containsExactly("first", "last");
      assertThat(jdbc.queryForList("select id from stamp order by id", String.class))
          .containsExactly("first", "last");
      assertThat(
              jdbc.queryForList(
                  "select distinct l.xmin::text = s.xmin::text and m.xid::text = s.xmin::text from letter l join stamp s using (id) join "
                      + schema
                      + ".message m on m.key = l.id",
                  Boolean.class))
          .containsExactly(true);
      assertThat(
              jdbc.queryForList(
                  "select convert_from(value, 'UTF8') from " + schema + ".log_parked",
                  String.class))
          .containsExactlyInAnyOrder("bad", "nested");
      assertThat(jdbc.queryForList("select reason from " + schema + ".log_lane", String.class))
          .anyMatch(reason -> reason.contains("address"))
          .anyMatch(reason -> reason.contains("NestedTransactionNotSupported"));
    }
  }

  @Test
  void aManagerThatDoesNotSeeTheTransactionIsRefusedAndCommitsNothingOfIt() {
    TestServers.Broker.KAFKA.createTopic(topic, 1);
    try (ConfigurableApplicationContext application = start(TwoManagers.class)) {
      Letter.outbox = application.getBean(TransactionalOutbox.class);
      JdbcTemplate jdbc = application.getBean(JdbcTemplate.class);
      jdbc.update("delete from stamp");
      jdbc.update("delete from letter");
      ListenerApp.send(
          List.of(
              new ProducerRecord<>(topic, "a", "before"),
              new ProducerRecord<>(topic, "b", "foreign"),
              new ProducerRecord<>(topic, "c", "behind")));
      await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(
                          jdbc.queryForList(
                              "select next_offset from " + schema + ".log_offset", Long.class))
                      .containsExactly(3L));
      assertThat(jdbc.queryForList("select id from stamp order by id", String.class))
          .containsExactly("before", "behind");
      assertThat(jdbc.queryForList("select reason from " + schema + ".log_lane", String.class))
          .singleElement()
          .asString()
          .contains("Another transaction manager");
    }
  }

  @Test
  void anEntityManagerThatWouldNotTakePartFailsTheStart() {
    assertThatThrownBy(() -> start(Apart.class).close())
        .hasStackTraceContaining("entityManagerFactory work on Holdfast's DataSource")
        .hasStackTraceContaining("Declare a JpaTransactionManager");
  }
}
