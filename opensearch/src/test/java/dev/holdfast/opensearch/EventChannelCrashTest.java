package dev.holdfast.opensearch;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Expect;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.outbox.Target;
import dev.holdfast.projection.EventChannel;
import dev.holdfast.projection.EventChannels;
import dev.holdfast.projection.ProjectionSettings;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The event log to an index, crashed at each commit point and with each answer lost. */
final class EventChannelCrashTest {
  private static final String SCHEMA = TestServers.unique("published");
  private static final HikariDataSource DIRECT = TestServers.pool(5);
  private static final Messages MESSAGES = new Messages();
  private static final Holdfast OBSERVER = Holdfast.on(DIRECT).schema(SCHEMA).manual().holdfast();

  @BeforeAll
  static void publishOne() throws Exception {
    // Of a channel that has never published the first checkpoint is another one.
    append("first");
    try (EventChannels channels =
        EventChannels.start(
            OBSERVER, ProjectionSettings.DEFAULT, channel(target(TestServers.engine())))) {
      channels.awaitPublished("crashed", 1, Duration.ofSeconds(20));
    }
  }

  @AfterAll
  static void end() {
    OBSERVER.close();
    DIRECT.close();
  }

  private static void append(String key) {
    OBSERVER
        .eventLog()
        .append(
            Append.to(
                key,
                ExpectedVersion.none(),
                EventData.json("noted", "1"),
                EventData.json("noted", "2")));
  }

  private static Target target(SearchEngine engine) {
    return SearchTarget.to(MESSAGES.index(engine), Messages::document);
  }

  private static EventChannel channel(Target target) {
    return EventChannel.named("crashed", target).topic(Messages.TOPIC);
  }

  /** A process that publishes. */
  private record Publisher() {
    static Publisher start(Resources resources) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(resources.dataSource("database", TestServers.POSTGRES.jdbcUrl()));
      config.setMaximumPoolSize(5);
      config.setMinimumIdle(0);
      config.setConnectionTimeout(5_000);
      HikariDataSource pool = new HikariDataSource(config);
      resources.onStop(pool);
      Holdfast holdfast =
          Holdfast.on(pool).schema(SCHEMA).schemaManagedElsewhere().manual().holdfast();
      resources.onStop(holdfast);
      String address = resources.address("search", "127.0.0.1", TestServers.SEARCH.port());
      resources.onStop(
          EventChannels.start(
              holdfast,
              ProjectionSettings.DEFAULT
                  .withLease(Duration.ofSeconds(1))
                  .withPollInterval(Duration.ofMillis(5)),
              channel(
                  resources.target(
                      "search",
                      target(
                          SearchEngine.at(URI.create("http://" + address))
                              .timeout(Duration.ofSeconds(2)))))));
      return new Publisher();
    }

    void awaitPublished(String key) {
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .pollInterval(Duration.ofMillis(20))
          .until(() -> MESSAGES.of(key).equals(List.of("1", "2")));
    }
  }

  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({
    "events.recorded",
    "events.repeats",
    "events.deduplicated",
    "events.order",
    "events.takeover"
  })
  void everyEventIsADocumentOnceWhateverCrashes(CrashLab lab) {
    lab.application(Publisher::start)
        .given(EventChannelCrashTest::append)
        .operation(Publisher::awaitPublished)
        .quiesce(Duration.ofSeconds(20))
        .attemptTimeout(Duration.ofSeconds(60))
        .ignoring("pg_notify")
        .ignoring(SCHEMA + ".lease")
        // A look, which comes as often as there is time for.
        .ignoring(SCHEMA + ".event_mark")
        .expect(Expect.effects("search", "document", MESSAGES::of).inOrder("1", "2"));
  }
}
