package dev.holdfast.kafka;

import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.Scenario;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.crashtest.resource.KafkaBroker;
import dev.holdfast.kafka.inbox.KafkaHandler;
import dev.holdfast.kafka.inbox.KafkaInbox;
import dev.holdfast.kafka.inbox.KafkaInboxSettings;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** A consumer that is crashed at each of its commits, or does not hear of them. */
final class KafkaInboxCrashTest {
  private static final InboxStage STAGE = new InboxStage("crash", 1);
  private static final String EFFECT = STAGE.schema + ".effect";
  private static final KafkaBroker BROKER = KafkaBroker.of(TestServers.KAFKA);

  @BeforeAll
  static void begin() {
    STAGE.store.channels().register("c", List.of("handled"));
    // A consumer that has never read the topic commits where it begins, once and for all runs.
    STAGE.send("before", "v");
    try (KafkaInbox first = STAGE.start(STAGE::effect)) {
      await().atMost(InboxStage.SOON).until(() -> !STAGE.values().isEmpty());
    }
  }

  @AfterAll
  static void end() {
    STAGE.close();
  }

  /** A process that reads the topic. */
  private record Reader() {
    static Reader start(Resources resources, boolean within) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(resources.dataSource("database", TestServers.POSTGRES.jdbcUrl()));
      config.setMaximumPoolSize(6);
      config.setMinimumIdle(0);
      config.setConnectionTimeout(5_000);
      HikariDataSource pool = new HikariDataSource(config);
      resources.onStop(pool);
      Holdfast holdfast = Holdfast.on(pool).schema(STAGE.schema).schemaManagedElsewhere().start();
      resources.onStop(holdfast);
      buryTheDead();
      KafkaHandler handler =
          (tx, message) -> {
            String key = InboxStage.text(message.key());
            if (within) {
              STAGE.effect(tx, message);
            } else {
              try (Connection other = pool.getConnection();
                  PreparedStatement insert =
                      other.prepareStatement("insert into " + EFFECT + " (key) values (?)")) {
                insert.setString(1, key);
                insert.executeUpdate();
              }
            }
            tx.publish(Message.of("handled", String.valueOf(key), "{}"));
          };
      resources.onStop(
          KafkaInbox.start(
              holdfast,
              STAGE.consumer,
              Map.of(
                  "bootstrap.servers",
                  resources.bootstrapServers("kafka", BROKER),
                  "fetch.max.wait.ms",
                  20),
              KafkaInboxSettings.DEFAULT,
              List.of(STAGE.topic),
              handler));
      return new Reader();
    }

    /** Otherwise the group waits for a dead member until its session expires. */
    private static void buryTheDead() {
      try (Admin admin =
          Admin.create(Map.of("bootstrap.servers", TestServers.KAFKA.bootstrapServers()))) {
        admin
            .removeMembersFromConsumerGroup(
                STAGE.consumer, new RemoveMembersFromConsumerGroupOptions())
            .all()
            .get();
      } catch (InterruptedException | ExecutionException e) {
        // There is no such group before the first has joined it; otherwise the session expires.
        LoggerFactory.getLogger(KafkaInboxCrashTest.class).debug("nobody was removed", e);
      }
    }

    void awaitHandled(String key) {
      await()
          .atMost(InboxStage.SOON)
          .pollInterval(Duration.ofMillis(20))
          .until(
              () ->
                  !STAGE
                      .strings("select 1 from " + EFFECT + " where key = '" + key + "'")
                      .isEmpty());
    }
  }

  private static Scenario<Reader> read(CrashLab lab, boolean within) {
    return lab.application(resources -> Reader.start(resources, within))
        .given(key -> STAGE.send(key, "v"))
        .operation((reader, key) -> reader.awaitHandled(key))
        .quiesce(within ? Duration.ofSeconds(30) : Duration.ofSeconds(2))
        .attemptTimeout(Duration.ofSeconds(60))
        .ignoring("pg_notify")
        .expect(
            row(EFFECT).byKey("key").once(), row(STAGE.schema + ".message").byKey("key").once());
  }

  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({"consumer.atomicity", "consumer.once"})
  void eachRecordHasItsEffectsOnceWhateverCrashes(CrashLab lab) {
    read(lab, true);
  }

  @Tag("long")
  @CrashTest(crashesDuringRecovery = 1)
  void norDoesASecondCrashWhileTheNextOneStartsRepeatThem(CrashLab lab) {
    read(lab, true);
  }

  /** The control: effects in a commit of their own. */
  @Tag("long")
  @Test
  void effectsThatAreNotCommittedWithTheOffsetComeTwice() {
    ExplorationReport report =
        CrashLab.explore("effects apart", CrashLab.Options.defaults(), lab -> read(lab, false));
    assertThat(report.findings()).extracting(Finding::verdict).contains(Verdict.DUPLICATE);
  }
}
