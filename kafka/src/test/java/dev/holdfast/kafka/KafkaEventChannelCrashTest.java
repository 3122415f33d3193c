package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Stepper;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Expect;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.Scenario;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.crashtest.resource.KafkaBroker;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.outbox.Target;
import dev.holdfast.projection.EventChannel;
import dev.holdfast.projection.EventChannels;
import dev.holdfast.projection.ProjectionSettings;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A channel that publishes the event log to Kafka, crashed at each commit point. With Kafka's
 * transactions, which keep the channel's progress, each event is there once; without them, whoever
 * does not tell repeats apart finds some.
 */
final class KafkaEventChannelCrashTest {
  private static final HikariDataSource DIRECT = TestServers.pool(TestServers.POSTGRES.jdbcUrl());
  private static final KafkaBroker BROKER = KafkaBroker.of(TestServers.KAFKA);
  private static final Log TRANSACTIONAL = new Log(false);
  private static final Log PLAIN = new Log(true);

  /** A log with a topic to which it is published. */
  private static final class Log implements AutoCloseable {
    final boolean isPlain;
    final String schema = TestServers.unique("events_");
    final String topic = TestServers.unique("events");
    final Stepper observer = Holdfast.on(DIRECT).schema(schema).manual();
    private final Map<String, Long> positions = new ConcurrentHashMap<>();

    Log(boolean isPlain) {
      this.isPlain = isPlain;
    }

    /** Publishes one: of a channel that has never published the first checkpoint is another one. */
    void begin() throws InterruptedException {
      TestServers.KAFKA.createTopic(topic, 2);
      append("first");
      try (EventChannels channels =
          EventChannels.start(
              observer.holdfast(),
              ProjectionSettings.DEFAULT,
              channel(target(TestServers.KAFKA.bootstrapServers())))) {
        awaitPublished(channels, "first");
      }
    }

    void append(String key) {
      positions.put(
          key,
          observer
              .holdfast()
              .eventLog()
              .append(
                  Append.to(
                      key,
                      ExpectedVersion.none(),
                      EventData.json("noted", "1"),
                      EventData.json("noted", "2")))
              .position());
    }

    void awaitPublished(EventChannels channels, String key) throws InterruptedException {
      assertThat(
              channels.awaitPublished(
                  "crashed", positions.getOrDefault(key, 0L), Duration.ofSeconds(30)))
          .isTrue();
    }

    boolean hasPublishedAll(EventChannels channels) {
      try {
        return channels.awaitPublished(
            "crashed", positions.values().stream().max(Long::compare).orElseThrow(), Duration.ZERO);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }

    EventChannel channel(Target target) {
      return EventChannel.named("crashed", target).topic(topic);
    }

    Target target(String servers) {
      KafkaTarget target = Kafka.to(Map.of("bootstrap.servers", servers, "max.block.ms", "3000"));
      return isPlain ? target.plain() : target;
    }

    @Override
    public void close() {
      observer.close();
    }
  }

  @BeforeAll
  static void publishOne() throws InterruptedException {
    TRANSACTIONAL.begin();
    PLAIN.begin();
  }

  @AfterAll
  static void end() {
    TRANSACTIONAL.close();
    PLAIN.close();
    DIRECT.close();
  }

  /** A process that publishes. */
  private record Publisher(Log log, EventChannels channels) {
    static Publisher start(Resources resources, Log log) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(resources.dataSource("database", TestServers.POSTGRES.jdbcUrl()));
      config.setMaximumPoolSize(5);
      config.setMinimumIdle(0);
      config.setConnectionTimeout(5_000);
      HikariDataSource pool = new HikariDataSource(config);
      resources.onStop(pool);
      Holdfast holdfast =
          Holdfast.on(pool).schema(log.schema).schemaManagedElsewhere().manual().holdfast();
      resources.onStop(holdfast);
      Target target = log.target(resources.bootstrapServers("kafka", BROKER));
      EventChannels channels =
          EventChannels.start(
              holdfast,
              ProjectionSettings.DEFAULT
                  .withLease(Duration.ofSeconds(1))
                  .withPollInterval(Duration.ofMillis(5)),
              log.channel(resources.target("kafka", BROKER, target)));
      resources.onStop(channels);
      return new Publisher(log, channels);
    }

    void awaitPublished(String key) throws InterruptedException {
      log.awaitPublished(channels, key);
    }
  }

  private static Scenario<Publisher> publish(CrashLab lab, Log log) {
    return lab.application(resources -> Publisher.start(resources, log))
        .given(log::append)
        .operation(Publisher::awaitPublished)
        // What a process that was started again would repeat is there only then.
        .quiesce(
            Duration.ofSeconds(log.isPlain ? 5 : 20),
            publisher -> log.hasPublishedAll(publisher.channels))
        .attemptTimeout(Duration.ofSeconds(60))
        .ignoring("pg_notify")
        .ignoring(log.schema + ".lease")
        .expect(Expect.record(log.topic).byKey().inOrder("1", "2"));
  }

  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({"events.recorded", "events.once", "events.order", "events.takeover"})
  void eachEventIsThereOnceWhateverCrashes(CrashLab lab) {
    publish(lab, TRANSACTIONAL);
  }

  @Test
  void withoutTransactionsWhoeverDoesNotTellRepeatsApartFindsThem() {
    ExplorationReport report =
        CrashLab.explore("plain", CrashLab.Options.defaults(), lab -> publish(lab, PLAIN));
    assertThat(report.findings()).extracting(Finding::verdict).contains(Verdict.DUPLICATE);
  }
}
