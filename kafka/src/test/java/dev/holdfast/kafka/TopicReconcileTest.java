package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.HoldfastException;
import dev.holdfast.kafka.reconcile.TopicSide;
import dev.holdfast.postgres.reconcile.PostgresSide;
import dev.holdfast.reconcile.Reconciliation;
import dev.holdfast.reconcile.Report;
import dev.holdfast.reconcile.Versions;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A table and the topic that has its rows' last states. */
final class TopicReconcileTest {
  private static final Map<String, Object> BROKER =
      Map.of("bootstrap.servers", TestServers.KAFKA.bootstrapServers());

  private final String name = TestServers.unique("states");
  private final HikariDataSource pool = TestServers.pool(TestServers.POSTGRES.jdbcUrl());
  private final PostgresSide table = PostgresSide.table(pool, "public", name);

  @BeforeEach
  void create() {
    TestServers.KAFKA.createTopic(name, 3);
    rows("create table %s (id text primary key, version bigint, body text)");
  }

  @AfterEach
  void close() {
    pool.close();
  }

  private void rows(String sql) {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql.formatted(name));
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ProducerRecord<String, String> message(
      String topic, @Nullable Integer partition, String key, long version, @Nullable String body) {
    ProducerRecord<String, String> record = new ProducerRecord<>(topic, partition, key, body);
    record.headers().add("version", ("" + version).getBytes(StandardCharsets.UTF_8));
    return record;
  }

  private void send(List<ProducerRecord<String, String>> messages, boolean commit) {
    Map<String, Object> config =
        Map.of(
            "bootstrap.servers",
            TestServers.KAFKA.bootstrapServers(),
            "transactional.id",
            name + commit);
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
      producer.initTransactions();
      producer.beginTransaction();
      messages.forEach(producer::send);
      if (commit) {
        producer.commitTransaction();
      } else {
        producer.flush();
        producer.abortTransaction();
      }
    }
  }

  private void differ() {
    rows("insert into %1$s select 'k' || i, 1, 'b' || i from generate_series(1, 500) i");
    List<ProducerRecord<String, String>> all = new ArrayList<>();
    for (int i = 1; i <= 500; i++) {
      all.add(message(name, null, "k" + i, 1, "b" + i));
    }
    all.add(message(name, null, "k1", 2, null));
    all.add(message(name, null, "extra", 1, "x"));
    all.add(message(name, null, "gone", 1, "x"));
    all.add(message(name, null, "gone", 2, null));
    send(all, true);
    // Nobody sees what was aborted.
    send(List.of(message(name, null, "k2", 9, "aborted")), false);
    rows("update %s set version = 2, body = 'new' where id = 'k3'");
  }

  private Report compare(PostgresSide source, TopicSide topic) throws InterruptedException {
    return Reconciliation.of(source, topic).settle(Duration.ZERO).build().run();
  }

  private static String found(Report report) {
    return report.samples().stream()
        .map(each -> each.drift() + " " + each.key())
        .sorted()
        .collect(Collectors.joining(", "));
  }

  @Test
  void theLastCommittedStateOfEachKeyIsCompared() throws InterruptedException {
    differ();
    String all = "EXTRA extra, MISSING k1, STALE k3";

    assertThat(found(compare(table, TopicSide.of(BROKER, name).versionHeader("version"))))
        .isEqualTo(all);
    assertThat(found(compare(table.contentExpression("md5(body)"), TopicSide.of(BROKER, name))))
        .isEqualTo(all);
    assertThat(
            compare(table, TopicSide.of(BROKER, name).version(Versions.NUMBERS, message -> "1"))
                .differences())
        .isEqualTo(3);
  }

  @Test
  void whatComesWithinTheWindowIsNoDrift() throws InterruptedException {
    differ();
    Reconciliation reconciliation =
        Reconciliation.of(table, TopicSide.of(BROKER, name).versionHeader("version"))
            .settle(Duration.ofSeconds(3))
            .build();
    Thread late =
        new Thread(
            () ->
                send(
                    List.of(
                        message(name, null, "k3", 2, "new"),
                        message(name, null, "k1", 1, "b1"),
                        message(name, null, "extra", 2, null)),
                    true));
    late.start();
    Report report = reconciliation.run();
    late.join();
    assertThat(report.differences()).isZero();
  }

  @Test
  void aKeyInTwoPartitionsIsADuplicate() throws InterruptedException {
    rows("insert into %s values ('a', 1, 'a'), ('b', 1, 'b')");
    send(
        List.of(
            message(name, 0, "a", 1, "a"),
            message(name, 1, "a", 1, "a"),
            message(name, 2, "b", 1, "b")),
        true);
    assertThat(found(compare(table, TopicSide.of(BROKER, name).versionHeader("version"))))
        .isEqualTo("DUPLICATE a");
  }

  @Test
  void whatCannotBeReadIsSaid() {
    assertThatThrownBy(() -> TopicSide.of(BROKER, "nowhere").open())
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("nowhere");
    send(List.of(message(name, null, "a", 1, "a"), message(name, null, "b", 1, "a")), true);
    assertThatThrownBy(() -> TopicSide.of(BROKER, name).keysAtMost(1).open())
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("more than 1 keys");
  }
}
