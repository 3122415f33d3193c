package dev.holdfast.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.Transaction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.annotation.Transactional;

/** Methods that take what was polled together at once. */
@Tag("extended")
final class BatchListenerTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String SCHEMA = TestServers.unique("batches_");
  private static final String READINGS = TestServers.unique("readings.");
  private static final String OTHERS = TestServers.unique("others.");

  private static @Nullable ConfigurableApplicationContext application;

  private final JdbcTemplate jdbc = new JdbcTemplate(dataSource());

  /** That of the manual. */
  static class Meters {
    private final JdbcTemplate jdbc;

    Meters(JdbcTemplate jdbc) {
      this.jdbc = jdbc;
    }

    // snippet:spring-batch-listener
    /** Many rows are one statement, and one commit with the offsets behind their records. */
    @HoldfastListener(consumer = "readings", topics = "${shop.readings-topic}")
    void store(List<ConsumerRecord<byte[], byte[]>> readings) {
      jdbc.batchUpdate(
          "insert into meter_reading (meter, reading) values (?, ?)",
          readings,
          readings.size(),
          (row, reading) -> {
            row.setString(1, new String(reading.key(), UTF_8));
            row.setString(2, new String(reading.value(), UTF_8));
          });
    }
    // end
  }

  static class Inner {
    @Transactional
    public void fail() {
      throw new IllegalStateException("inner failure");
    }
  }

  /** Of the same consumer, on another topic. */
  static class Others {
    private final TransactionalOutbox outbox;
    private final JdbcTemplate jdbc;
    private final Inner inner;
    private final Holdfast holdfast;
    private final List<String> calls = new CopyOnWriteArrayList<>();

    Others(TransactionalOutbox outbox, JdbcTemplate jdbc, Inner inner, Holdfast holdfast) {
      this.outbox = outbox;
      this.jdbc = jdbc;
      this.inner = inner;
      this.holdfast = holdfast;
    }

    @Transactional
    @HoldfastListener(consumer = "readings", topics = "${test.others-topic}")
    public void handle(Transaction tx, List<ConsumerRecord<byte[], byte[]>> records) {
      List<String> values = records.stream().map(one -> new String(one.value(), UTF_8)).toList();
      calls.add(String.join(" ", values));
      values.forEach(value -> jdbc.update("insert into other values (?)", value));
      outbox.publish(Message.of("parcels.sent", values.get(0), "{}"));
      tx.publish(Message.of("parcels.sent", values.get(0), "{}"));
      values.forEach(
          value ->
              holdfast.publish(
                  tx.connection(),
                  "op-" + value,
                  List.of(Message.of("parcels.each", value, "{}"))));
      if (values.contains("bad")) {
        try {
          inner.fail();
        } catch (IllegalStateException e) {
          calls.add("went on");
        }
      }
    }

    List<String> calls() {
      return calls;
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    @Bean
    PGSimpleDataSource dataSource(@Value("${test.schema}") String schema) {
      return BatchListenerTest.dataSource();
    }

    @Bean
    Meters meters(JdbcTemplate jdbc) {
      return new Meters(jdbc);
    }

    @Bean
    Inner inner() {
      return new Inner();
    }

    @Bean
    Others others(TransactionalOutbox outbox, JdbcTemplate jdbc, Inner inner, Holdfast holdfast) {
      return new Others(outbox, jdbc, inner, holdfast);
    }
  }

  private static PGSimpleDataSource dataSource() {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(TestServers.POSTGRES.jdbcUrl());
    dataSource.setCurrentSchema(SCHEMA);
    return dataSource;
  }

  @BeforeAll
  static void start() {
    JdbcTemplate jdbc = new JdbcTemplate(dataSource());
    jdbc.execute("create schema " + SCHEMA);
    jdbc.execute(
        "create table meter_reading (meter text, reading text, n bigserial, constraint good check (reading <> 'bad'))");
    jdbc.execute("create table other (value text)");
    TestServers.Broker.KAFKA.createTopic(READINGS, 1);
    TestServers.Broker.KAFKA.createTopic(OTHERS, 1);
    application =
        Apps.start(
            Application.class,
            SCHEMA,
            "parcels.*",
            "spring.kafka.bootstrap-servers=" + TestServers.Broker.KAFKA.bootstrapServers(),
            "test.schema=" + SCHEMA,
            "shop.readings-topic=" + READINGS,
            "test.others-topic=" + OTHERS,
            "holdfast.consumers.readings.attempts=1");
  }

  @AfterAll
  static void stop() {
    Objects.requireNonNull(application).close();
  }

  private void awaitHandled(String topic, long next) {
    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(
                        jdbc.queryForList(
                            "select next_offset from log_offset where topic = ?",
                            Long.class,
                            topic))
                    .containsExactly(next));
  }

  private List<String> parked(String topic) {
    return jdbc.queryForList(
        "select convert_from(p.value, 'UTF8') from log_parked p join log_topic t using (consumer, topic_id) where t.topic = ? order by record_offset",
        String.class,
        topic);
  }

  @Test
  void manyRowsAreFewCommitsAndABadOneAmongThemIsParkedAlone() {
    List<String> readings = new ArrayList<>();
    IntStream.range(0, 100).forEach(i -> readings.add(String.valueOf(i)));
    readings.set(41, "bad");
    ListenerApp.send(
        IntStream.range(0, 100)
            .mapToObj(i -> new ProducerRecord<>(READINGS, "meter-" + i, readings.get(i)))
            .toList());
    awaitHandled(READINGS, 100);

    assertThat(parked(READINGS)).containsExactly("bad");
    readings.remove("bad");
    assertThat(jdbc.queryForList("select reading from meter_reading order by n", String.class))
        .isEqualTo(readings);
    assertThat(
            jdbc.queryForObject(
                "select count(distinct xmin::text) from meter_reading", Integer.class))
        .as("halves, and not one by one")
        .isLessThan(30);
  }

  @Test
  void whatTakesPartInSpringsTransactionIsOneCommitWithAllOfTheBatch() {
    Others others = Objects.requireNonNull(application).getBean(Others.class);
    ListenerApp.send(
        List.of(
            new ProducerRecord<>(OTHERS, "a", "1"),
            new ProducerRecord<>(OTHERS, "b", "2"),
            new ProducerRecord<>(OTHERS, "c", "bad")));
    awaitHandled(OTHERS, 3);

    assertThat(parked(OTHERS)).containsExactly("bad");
    assertThat(others.calls()).contains("went on").endsWith("bad", "went on");
    assertThat(jdbc.queryForList("select value from other order by value", String.class))
        .containsExactly("1", "2");
    assertThat(
            jdbc.queryForList(
                "select key || ' ' || count(*) from message where topic = 'parcels.sent' and xid::text in (select xmin::text from other) group by key, operation_id order by key",
                String.class))
        .as("both messages of a call are of its operation, in the commit of its rows")
        .first()
        .isEqualTo("1 2");
    assertThat(
            jdbc.queryForList(
                "select key || ' ' || operation_id from message where topic = 'parcels.each' order by position",
                String.class))
        .as("what goes on with one record is of its own operation")
        .containsExactly("1 op-1", "2 op-2");
  }
}
