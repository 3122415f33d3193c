package dev.holdfast.devservices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class KafkaServerTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @SuppressWarnings("NullAway.Init")
  private static KafkaServer server;

  @BeforeAll
  static void startServer() {
    server = KafkaServer.builder().relayed().javaOption("-Dholdfast.test=1").start();
  }

  @AfterAll
  static void closeServer() {
    server.close();
  }

  /** The build asks for it: see {@code holdfast.kafka.archive} in the parent's pom.xml. */
  @Test
  void readsItsClassesFromTheArchiveThatWasAskedFor() throws Exception {
    assertThat(System.getProperty(KafkaArchive.WANTED)).isEqualTo("true");
    // The JVM maps the file only when it fits its class path, and says nothing when it does not.
    assertThat(Files.readString(Path.of("/proc", Long.toString(server.pid()), "maps")))
        .contains("/kafka.jsa");
  }

  @Test
  void keepsAcknowledgedRecordsOverKillAndRestart() throws Exception {
    server.createTopic("kept", 2);
    send("kept", "one");
    long before = server.pid();
    server.kill();
    assertThat(Processes.isAlive(before)).isFalse();
    assertThat(Ports.isFree(server.port())).isTrue();

    server.restart();

    assertThat(server.pid()).isNotEqualTo(before);
    send("kept", "two");
    assertThat(read("kept", 2)).containsExactly("one", "two");
  }

  @Test
  void commitsTransactionsAndPausesAndResumes() throws Exception {
    server.createTopic("transacted", 1);
    server.pause();
    assertThat(Processes.isStopped(server.pid())).isTrue();
    server.resume();
    Map<String, Object> settings =
        Map.of("bootstrap.servers", server.bootstrapServers(), "transactional.id", "t");
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      producer.initTransactions();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("transacted", "three"));
      producer.commitTransaction();
    }
    assertThat(read("transacted", 1)).containsExactly("three");
  }

  @Test
  void clientsOfTheRelayedListenerCannotGetPastTheRelay() throws Exception {
    server.createTopic("relayed", 1);
    send(server.relayedBootstrapServers(), "relayed", "one", LONG);
    server.relay().cut();
    try {
      assertThatThrownBy(
              () -> send(server.relayedBootstrapServers(), "relayed", "cut", Duration.ofSeconds(1)))
          .hasRootCauseInstanceOf(org.apache.kafka.common.errors.TimeoutException.class);
      send("relayed", "two");
    } finally {
      server.relay().restore();
    }
    send(server.relayedBootstrapServers(), "relayed", "three", LONG);
    assertThat(read("relayed", 3)).containsExactly("one", "two", "three");
  }

  @Test
  void runsWithTheOptionsGiven() {
    assertThat(Processes.commandLine(server.pid())).contains("-Dholdfast.test=1");
  }

  @Test
  void refusesATopicThatExists() {
    server.createTopic("twice", 1);
    assertThatThrownBy(() -> server.createTopic("twice", 1))
        .isInstanceOf(DevServiceException.class)
        .hasMessageContaining("twice");
  }

  private static void send(String topic, String value) throws Exception {
    send(server.bootstrapServers(), topic, value, LONG);
  }

  private static void send(String bootstrapServers, String topic, String value, Duration atMost)
      throws Exception {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", bootstrapServers, "max.block.ms", atMost.toMillis()),
            new StringSerializer(),
            new StringSerializer())) {
      producer.send(new ProducerRecord<>(topic, 0, null, value)).get(30, TimeUnit.SECONDS);
    }
  }

  private static List<String> read(String topic, int count) {
    List<String> found = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(
            Map.of(
                "bootstrap.servers",
                server.bootstrapServers(),
                "auto.offset.reset",
                "earliest",
                "isolation.level",
                "read_committed"),
            new StringDeserializer(),
            new StringDeserializer())) {
      consumer.assign(List.of(new TopicPartition(topic, 0)));
      long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
      while (found.size() < count && System.nanoTime() < deadline) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          found.add(record.value());
        }
      }
    }
    return found;
  }
}
