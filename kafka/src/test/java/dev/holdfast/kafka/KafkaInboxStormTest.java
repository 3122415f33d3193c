package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.kafka.inbox.KafkaHandler;
import dev.holdfast.kafka.inbox.KafkaInbox;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Members come and go, are cut off, and sleep through their eviction. */
final class KafkaInboxStormTest {
  private static final Map<String, Map<String, String>> PROTOCOLS =
      Map.of(
          "classic",
          Map.of("session.timeout.ms", "6000", "heartbeat.interval.ms", "500"),
          "cooperative",
          Map.of(
              "session.timeout.ms",
              "6000",
              "heartbeat.interval.ms",
              "500",
              "partition.assignment.strategy",
              "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"),
          "consumer",
          Map.of("group.protocol", "consumer"));

  /**
   * A member that is cut off from database and sleeps is a killed one, as far as others can tell.
   */
  private record Member(KafkaInbox inbox, TcpRelay relay, AtomicBoolean doomed) {}

  @ParameterizedTest
  @CsvSource({"consumer, 10, false", "consumer, 10, true"})
  @Attacks({"consumer.once", "consumer.order"})
  void nothingIsLostOrRepeatedWhileMembersComeAndGo(String protocol, int seconds, boolean batched) {
    storm(protocol, Duration.ofSeconds(seconds), batched);
  }

  @Tag("long")
  @ParameterizedTest
  @CsvSource({
    "classic, 60, false",
    "cooperative, 60, false",
    "consumer, 60, false",
    "cooperative, 60, true"
  })
  @Attacks({"consumer.once", "consumer.order"})
  void nothingIsLostOrRepeatedInAMinuteOfIt(String protocol, int seconds, boolean batched) {
    storm(protocol, Duration.ofSeconds(seconds), batched);
  }

  private static void storm(String protocol, Duration time, boolean batched) {
    try (InboxStage stage = new InboxStage("storm", 6).batched(batched)) {
      int sent = storm(stage, protocol, time, stage::effect);
      assertThat(count(stage, "*")).as("effects, of which none came twice").isEqualTo(sent);
      assertThat(outOfOrder(stage)).isZero();
    }
  }

  /** The control: effects in a commit of their own, as a consumer without offsets beside them. */
  @Tag("long")
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void effectsThatAreNotCommittedWithTheOffsetAreRepeated(boolean batched) {
    try (InboxStage stage = new InboxStage("storm", 6).batched(batched)) {
      int sent =
          storm(
              stage,
              "classic",
              Duration.ofSeconds(15),
              (tx, message) -> stage.apart().transact(apart -> stage.effect(apart, message)));
      assertThat(count(stage, "*")).isGreaterThan(sent);
    }
  }

  /**
   * @return how many were sent, of which each has come at least once
   */
  private static int storm(InboxStage stage, String protocol, Duration time, KafkaHandler handler) {
    Random random = new Random(protocol.hashCode());
    Deque<Member> members = new ArrayDeque<>();
    AtomicInteger sent = new AtomicInteger();
    long changed = Doorbell.nanos();
    int changes = 0;
    members.add(join(stage, protocol, handler));
    while (changes < time.toSeconds() / 2) {
      send(stage, sent);
      if (Doorbell.hasPassed(Duration.ofSeconds(2), changed)) {
        changed = Doorbell.nanos();
        changes++;
        if (members.size() < 2 || (members.size() < 4 && random.nextBoolean())) {
          members.add(join(stage, protocol, handler));
        } else {
          leave(stage, sent, members.remove(), random.nextBoolean());
        }
      }
    }
    await()
        .atMost(Duration.ofMinutes(2))
        .until(() -> count(stage, "distinct (partition_no, record_offset)") == sent.get());
    members.forEach(member -> leave(stage, sent, member, false));
    return sent.get();
  }

  private static void send(InboxStage stage, AtomicInteger sent) {
    for (int i = 0; i < 20; i++) {
      int n = sent.getAndIncrement();
      stage.producer.send(new ProducerRecord<>(stage.topic, "k" + n % 50, "v" + n));
    }
    stage.producer.flush();
    await().pollDelay(Duration.ofMillis(20)).until(() -> true);
  }

  private static Member join(InboxStage stage, String protocol, KafkaHandler handler) {
    TcpRelay relay = TcpRelay.to("127.0.0.1", TestServers.POSTGRES.port());
    Holdfast holdfast =
        stage.process(
            TestServers.POSTGRES
                .jdbcUrl()
                .replace(":" + TestServers.POSTGRES.port(), ":" + relay.port()));
    AtomicBoolean doomed = new AtomicBoolean();
    KafkaHandler mortal =
        (tx, message) -> {
          handler.handle(tx, message);
          if (doomed.getAndSet(false)) {
            relay.cut();
          }
        };
    KafkaInbox inbox =
        stage.start(
            holdfast, InboxStage.SETTINGS, PROTOCOLS.getOrDefault(protocol, Map.of()), mortal);
    return new Member(inbox, relay, doomed);
  }

  /** Killed members lose their database behind an effect, before the commit. */
  private static void leave(InboxStage stage, AtomicInteger sent, Member member, boolean killed) {
    if (killed) {
      member.doomed.set(true);
      long since = Doorbell.nanos();
      while (member.doomed.get() && !Doorbell.hasPassed(Duration.ofSeconds(3), since)) {
        send(stage, sent);
      }
      member.relay.cut();
    }
    member.inbox.close();
    member.relay.close();
  }

  private static long count(InboxStage stage, String what) {
    return Long.parseLong(
        stage.strings("select count(%s) from %s.effect".formatted(what, stage.schema)).get(0));
  }

  private static long outOfOrder(InboxStage stage) {
    return Long.parseLong(
        stage
            .strings(
                """
                select count(*) from (
                  select record_offset < lag(record_offset)
                           over (partition by partition_no order by n) as back
                  from %s.effect) e where back
                """
                    .formatted(stage.schema))
            .get(0));
  }

  /** It is evicted while its handler sleeps, and wakes up when another has gone on. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Attacks("consumer.zombie")
  void memberThatSleepsThroughItsEvictionCommitsNothing(boolean batched)
      throws InterruptedException {
    Map<String, Object> impatient =
        Map.of("max.poll.interval.ms", 3_000, "session.timeout.ms", 6_000, "max.poll.records", 2);
    try (InboxStage stage = new InboxStage("zombie", 1).batched(batched)) {
      AtomicBoolean first = new AtomicBoolean(true);
      CountDownLatch asleep = new CountDownLatch(1);
      CountDownLatch wake = new CountDownLatch(1);
      AtomicInteger woken = new AtomicInteger();
      KafkaHandler sleepy =
          (tx, message) -> {
            if (first.getAndSet(false)) {
              asleep.countDown();
              try {
                // Nobody could go on as long as the transaction holds the offset's row.
                if (wake.await(60, TimeUnit.SECONDS)) {
                  woken.incrementAndGet();
                }
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            }
            stage.effect(tx, message);
          };
      stage.send("a", "1");
      stage.start(InboxStage.SETTINGS.withHandlerSilence(Duration.ofSeconds(2)), impatient, sleepy);
      assertThat(asleep.await(60, TimeUnit.SECONDS)).isTrue();
      stage.send("a", "2");
      stage.start(InboxStage.SETTINGS, Map.of(), stage::effect);
      stage.awaitValues("1", "2");

      wake.countDown();
      await().atMost(InboxStage.SOON).until(() -> woken.get() == 1);
      stage.send("a", "3");
      stage.awaitValues("1", "2", "3");
      assertThat(stage.store.consumerParking().all(stage.consumer, 10)).isEmpty();
    }
  }

  /** A commit whose reply is lost is found by the offset. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Attacks("consumer.once")
  void lostReplyToTheCommitRepeatsNothing(boolean batched) {
    try (InboxStage stage = new InboxStage("lost", 1).batched(batched);
        TcpRelay relay = TcpRelay.to("127.0.0.1", TestServers.POSTGRES.port())) {
      Holdfast holdfast =
          stage.process(
              TestServers.POSTGRES
                  .jdbcUrl()
                  .replace(":" + TestServers.POSTGRES.port(), ":" + relay.port()));
      AtomicBoolean lose = new AtomicBoolean(true);
      stage.start(
          holdfast,
          InboxStage.SETTINGS,
          Map.of(),
          (tx, message) -> {
            stage.effect(tx, message);
            if (lose.getAndSet(false)) {
              relay.swallowNextReply();
            }
          });
      stage.send("a", "1");
      await().atMost(InboxStage.SOON).until(() -> relay.lostReplies() == 1);
      stage.send("a", "2");
      stage.awaitValues("1", "2");
    }
  }

  /** A database that is killed is waited for, and no attempt is counted. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Attacks({"consumer.once", "consumer.parking"})
  void killedDatabaseIsWaitedFor(boolean batched) {
    try (PostgresServer server = PostgresServer.start();
        InboxStage stage = new InboxStage("killed", 1, server.jdbcUrl()).batched(batched)) {
      stage.start(InboxStage.SETTINGS.withAttempts(1), Map.of(), stage::effect);
      stage.send("a", "1");
      stage.awaitValues("1");
      for (int round = 0; round < 2; round++) {
        server.killServer();
        stage.send("a", "while it is down " + round);
        server.restart();
        stage.send("a", "after " + round);
      }
      await().atMost(InboxStage.SOON).ignoreExceptions().until(() -> stage.values().size() >= 5);
      assertThat(stage.values())
          .isEqualTo(
              List.of("1", "while it is down 0", "after 0", "while it is down 1", "after 1"));
    }
  }
}
