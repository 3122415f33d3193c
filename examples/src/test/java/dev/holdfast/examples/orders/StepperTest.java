package dev.holdfast.examples.orders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.Stepper;
import dev.holdfast.crashtest.StoreClock;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.kafka.KafkaTarget;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelaySettings;
import dev.holdfast.outbox.RelayStatus;
import dev.holdfast.outbox.store.ChannelState;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The background work, stepped by the test on its own thread, in a store whose time it moves. */
final class StepperTest {
  private static final AtomicInteger NAMES = new AtomicInteger();
  private static final String CHANNEL = "orders";

  private final HikariDataSource pool = new HikariDataSource();
  private final String schema = "stepped_" + NAMES.incrementAndGet();
  private final String topic = "stepped" + NAMES.get();

  @BeforeEach
  void begin() {
    pool.setJdbcUrl(ShopServers.POSTGRES.jdbcUrl());
    pool.setMinimumIdle(0);
    ShopServers.KAFKA.createTopic(topic, 1);
  }

  @AfterEach
  void end() {
    pool.close();
  }

  private static KafkaTarget kafka() {
    return Kafka.to(Map.of("bootstrap.servers", ShopServers.KAFKA.bootstrapServers()));
  }

  private Stepper stepper(KafkaTarget target) {
    return builder().channel(CHANNEL, target, topic).manual();
  }

  private Holdfast.Builder builder() {
    return Holdfast.on(pool).schema(schema);
  }

  private void publish(Stepper stepper, String key) {
    stepper.holdfast().transact(tx -> tx.publish(Message.of(topic, key, "{}")));
  }

  private static RelayPhase phase(Stepper stepper) {
    return stepper.holdfast().status().get(0).phase();
  }

  private static long lag(Stepper stepper) {
    return stepper.holdfast().store().channels().status(CHANNEL).lagMessages();
  }

  /** The keys of what a reader sees of the topic. */
  private List<String> delivered() {
    TopicPartition partition = new TopicPartition(topic, 0);
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(
            Map.of(
                "bootstrap.servers", ShopServers.KAFKA.bootstrapServers(),
                "isolation.level", "read_committed",
                "auto.offset.reset", "earliest"),
            new StringDeserializer(),
            new StringDeserializer())) {
      consumer.assign(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).getOrDefault(partition, 0L);
      List<String> keys = new ArrayList<>();
      while (consumer.position(partition) < end) {
        for (ConsumerRecord<String, String> each : consumer.poll(Duration.ofMillis(20))) {
          keys.add(each.key());
        }
      }
      return keys;
    }
  }

  private static Set<Thread> holdfastsThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("holdfast"))
        .collect(Collectors.toSet());
  }

  @Test
  void everyStepIsTheCallers() {
    Set<Thread> before = holdfastsThreads();
    try (Stepper stepper = stepper(kafka())) {
      publish(stepper, "a");
      assertThat(phase(stepper)).isEqualTo(RelayPhase.STANDBY);
      assertThat(stepper.step(CHANNEL)).isTrue();
      assertThat(phase(stepper)).isEqualTo(RelayPhase.TAKING_OVER);
      assertThat(stepper.step(CHANNEL)).isTrue();
      assertThat(phase(stepper)).isEqualTo(RelayPhase.LEADING);
      assertThat(delivered()).isEmpty();

      assertThat(stepper.step(CHANNEL)).isTrue();
      assertThat(delivered()).containsExactly("a");
      assertThat(lag(stepper)).as("by the database's copy").isOne();
      assertThat(stepper.step(CHANNEL)).isTrue();
      assertThat(lag(stepper)).isZero();
      assertThat(stepper.step(CHANNEL)).isFalse();

      assertThat(holdfastsThreads()).isSubsetOf(before);
    }
  }

  @Test
  void whatIsDueTomorrowIsDeliveredOnceTimeHasMoved() {
    try (Stepper stepper = stepper(kafka());
        StoreClock clock = StoreClock.of(pool, schema)) {
      Instant tomorrow = Instant.now().plus(1, ChronoUnit.DAYS);
      stepper
          .holdfast()
          .transact(
              tx ->
                  tx.publish(
                      Message.to(topic).key("delayed").json("{}").deliverAt(tomorrow).build()));
      publish(stepper, "at once");
      stepper.runUntilIdle();
      assertThat(delivered()).containsExactly("at once");
      clock.advance(Duration.ofDays(1));
      stepper.runUntilIdle();
      assertThat(delivered()).containsExactly("at once", "delayed");
    }
  }

  private void crashAfterDelivery(KafkaTarget target) {
    Stepper first = stepper(target);
    publish(first, "a");
    while (first.holdfast().status().get(0).delivered() == 0) {
      assertThat(first.step(CHANNEL)).isTrue();
    }
    first.abandon();
    assertThatThrownBy(() -> first.step(CHANNEL)).isInstanceOf(IllegalStateException.class);

    try (Stepper next = stepper(target);
        StoreClock clock = StoreClock.of(pool, schema)) {
      publish(next, "b");
      next.runUntilIdle();
      assertThat(phase(next))
          .as("while the dead leader's lease lasts")
          .isEqualTo(RelayPhase.STANDBY);
      clock.advance(RelaySettings.DEFAULT.leaseDuration());
      next.runUntilIdle();
      assertThat(phase(next)).isEqualTo(RelayPhase.LEADING);
    }
  }

  @Test
  void aCrashBeforeProgressIsCopiedRepeatsNothing() {
    crashAfterDelivery(kafka());
    assertThat(delivered()).containsExactly("a", "b");
  }

  /** The control: it is the progress in Kafka's transaction that knows better than the copy. */
  @Test
  void aCrashBeforeProgressIsCopiedRepeatsThePageInPlainMode() {
    crashAfterDelivery(kafka().plain());
    assertThat(delivered()).containsExactly("a", "a", "b");
  }

  @Test
  void aLeaderWhoseLeaseWasTakenOverFindsOutBeforeItReads() {
    try (Stepper old = stepper(kafka());
        Stepper next = stepper(kafka());
        StoreClock clock = StoreClock.of(pool, schema)) {
      old.runUntilIdle();
      clock.advance(RelaySettings.DEFAULT.leaseDuration());
      next.runUntilIdle();
      publish(old, "a");
      old.runUntilIdle();
      assertThat(phase(old)).isEqualTo(RelayPhase.STANDBY);
      assertThat(delivered()).isEmpty();
      next.runUntilIdle();
      assertThat(delivered()).containsExactly("a");
    }
  }

  @Test
  void aClosedOneLeavesNothingToWaitFor() {
    try (Stepper first = stepper(kafka())) {
      publish(first, "a");
      first.step(CHANNEL);
      first.step(CHANNEL);
      first.step(CHANNEL);
    }
    try (Stepper next = stepper(kafka())) {
      assertThat(lag(next)).isZero();
      next.runUntilIdle();
      assertThat(phase(next)).isEqualTo(RelayPhase.LEADING);
    }
    assertThat(delivered()).containsExactly("a");
  }

  @Test
  void anOperatorsPauseIsSeen() {
    try (Stepper stepper = stepper(kafka())) {
      stepper.runUntilIdle();
      stepper.holdfast().store().channels().setState(CHANNEL, ChannelState.PAUSED, "me", "to see");
      stepper.runUntilIdle();
      publish(stepper, "a");
      stepper.runUntilIdle();
      assertThat(phase(stepper)).isEqualTo(RelayPhase.PAUSED);
      assertThat(delivered()).isEmpty();
      stepper.holdfast().store().channels().setState(CHANNEL, ChannelState.RUNNING, "me", null);
      stepper.runUntilIdle();
      assertThat(delivered()).containsExactly("a");
    }
  }

  @Test
  void channelsThatCannotReachTheirTargetDoNotKeepTheOthersOrTheCaller() {
    KafkaTarget nowhere = Kafka.to(Map.of("bootstrap.servers", "nowhere.invalid:9092"));
    try (Stepper stepper =
        builder()
            .channel("first", nowhere, topic)
            .channel(CHANNEL, kafka(), topic)
            .channel("last", nowhere, topic)
            .manual()) {
      publish(stepper, "a");
      stepper.step("last");
      stepper.runUntilIdle(100);
      assertThat(stepper.holdfast().status())
          .extracting(RelayStatus::phase)
          .containsExactly(RelayPhase.BLOCKED, RelayPhase.LEADING, RelayPhase.BLOCKED);
      assertThat(delivered()).containsExactly("a");
    }
  }

  @Test
  void tooFewStepsAndChannelsThatAreNotThereAreSaid() {
    try (Stepper stepper = stepper(kafka())) {
      publish(stepper, "a");
      assertThatThrownBy(() -> stepper.runUntilIdle(2))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("after 2 steps");
      assertThatThrownBy(() -> stepper.step("nobody"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("There is no channel nobody");
    }
  }
}
