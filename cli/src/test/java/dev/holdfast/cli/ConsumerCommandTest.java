package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.ConsumerParking.Held;
import dev.holdfast.inbox.store.ConsumerParking.Parked;
import dev.holdfast.inbox.store.OffsetStore;
import dev.holdfast.inbox.store.OffsetStore.Partition;
import dev.holdfast.kafka.inbox.KafkaInbox;
import dev.holdfast.kafka.inbox.KafkaInboxSettings;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** An operator's day at a consumer that reads a real Kafka. */
class ConsumerCommandTest {
  private static final Duration BOUND = Duration.ofSeconds(60);

  private final String database = TestDatabases.create();

  private Run command(String line) {
    return Run.line("consumer " + line + " --database", database);
  }

  @Test
  void whatIsParkedIsSeenReleasedSkippedAndTheConsumerPausedAndSetBack() {
    Run.line("schema migrate --database", database).result();
    assertThat(command("status").result()).contains("No consumer has been started yet");
    assertThat(command("pause billing").error()).contains("There is no consumer 'billing'");

    TestKafka.createTopic("invoices", 1);
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(database);
    Set<String> broken = ConcurrentHashMap.newKeySet();
    broken.add("b1");
    broken.add("c1");
    List<String> handled = new CopyOnWriteArrayList<>();
    Map<String, Object> producer = Map.of("bootstrap.servers", TestKafka.bootstrapServers());
    try (Holdfast holdfast = Holdfast.on(dataSource).schemaManagedElsewhere().start();
        KafkaProducer<String, String> sender =
            new KafkaProducer<>(producer, new StringSerializer(), new StringSerializer());
        KafkaInbox inbox =
            KafkaInbox.start(
                holdfast,
                "billing",
                Map.of("bootstrap.servers", TestKafka.bootstrapServers()),
                KafkaInboxSettings.DEFAULT.withAttempts(1),
                List.of("invoices"),
                (tx, message) -> {
                  String value = new String(message.value(), StandardCharsets.UTF_8);
                  if (broken.contains(value)) {
                    throw new IllegalStateException("cannot bill " + value);
                  }
                  handled.add(value);
                })) {
      for (String value : List.of("a1", "b1", "b2", "c1", "c2")) {
        sender.send(new ProducerRecord<>("invoices", value.substring(0, 1), value));
      }
      sender.flush();
      await()
          .atMost(BOUND)
          .untilAsserted(
              () ->
                  assertThat(command("list billing").result())
                      .contains("k:b", "cannot bill b1", "k:c"));
      await().atMost(BOUND).until(() -> inbox.status().stream().anyMatch(s -> s.next() == 5));
      assertThat(command("status").result()).contains("billing", "invoices-0", "reading");
      assertThat(command("status --json").result()).contains("\"next_offset\" : 5");
      assertThat(command("list billing --json").result()).contains("\"lane\" : \"k:b\"");

      assertThat(command("release billing --topic invoices --partition 0 --lane k:nobody").error())
          .contains("Nothing of that lane is held back");
      broken.remove("b1");
      command("release billing --topic invoices --partition 0 --lane k:b").result();
      await().atMost(BOUND).until(() -> handled.containsAll(List.of("b1", "b2")));

      assertThat(command("skip billing --topic invoices --partition 0 --offset 99").error())
          .contains("No record of that offset");
      command("skip billing --topic invoices --partition 0 --offset 3").result();
      command("release billing --topic invoices --partition 0 --lane k:c").result();
      await().atMost(BOUND).until(() -> handled.contains("c2"));
      assertThat(handled).doesNotContain("c1");

      command("pause billing --reason migration").result();
      assertThat(command("status").result()).contains("paused");
      command("resume billing").result();

      assertThat(command("continue billing --topic invoices --partition 7").error())
          .contains("does not read that partition");
      handled.clear();
      command("continue billing --topic invoices --partition 0 --offset 4").result();
      await().atMost(BOUND).until(() -> handled.contains("c2"));
      assertThat(handled).containsExactly("c2");

      broken.clear();
      assertThat(command("seek billing --topic invoices --kafka x --to-time soon").error())
          .contains("--to-time is 'soon'");
      assertThat(
              command(
                      "seek billing --topic nothing --to-earliest --kafka "
                          + TestKafka.bootstrapServers())
                  .error())
          .contains("does not know the topic nothing");
      command("seek billing --topic invoices --to-earliest --kafka " + TestKafka.bootstrapServers())
          .result();
      await().atMost(BOUND).until(() -> handled.contains("c1"));
    }
  }

  @Test
  void whatAListenerOfAQueueHasParkedIsSeenReleasedAndSkippedByTheSameCommands() {
    Run.line("schema migrate --database", database).result();
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(database);
    Partition queue = Partition.ofQueue("jms", "orders.placed");
    try (Holdfast holdfast = Holdfast.on(dataSource).schemaManagedElsewhere().start()) {
      OffsetStore offsets = holdfast.store().offsets();
      offsets.register("shipping");
      offsets.begin("shipping", queue.topic(), queue.topicId(), Map.of(0, 0L));
      ConsumerParking parking = holdfast.store().consumerParking();
      for (String id : List.of("first", "second")) {
        Parked message =
            new Parked(
                queue, 0, "k:a", null, 0, id.getBytes(StandardCharsets.UTF_8), null, List.of());
        assertThat(parking.hold("shipping", message, "no such\ncustomer\u001B[2J\u202E", 10))
            .isEqualTo(Held.NOW);
        assertThat(parking.hold("shipping", message, null, 10)).isEqualTo(Held.BEFORE);
      }

      assertThat(command("status").result())
          .contains("orders.placed", "a queue", "shipping: 2 parked");
      assertThat(command("list shipping").result())
          .contains("orders.placed", "k:a", "no such customer")
          .doesNotContain("\u001B", "\u202E");
      assertThat(command("list shipping --json").result()).contains("\"first_offset\" : 0");
      assertThat(command("continue shipping --topic orders.placed --partition 0").error())
          .contains("does not read that partition");
      command("skip shipping --topic orders.placed --partition 0 --offset 0").result();
      command("pause shipping").result();
      assertThat(
              command("release shipping --topic orders.placed --partition 0 --lane k:a").result())
          .contains("holdfast consumer resume shipping");
      command("resume shipping").result();
      assertThat(parking.releasing("shipping", queue)).containsExactly("k:a");
      assertThat(parking.first("shipping", queue, "k:a", 10))
          .extracting(Parked::offset)
          .containsExactly(1L);
      assertThat(Run.line("doctor --database", database).out())
          .contains("k:a of queue orders.placed: no such customer");
    }
  }
}
