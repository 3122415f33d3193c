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
import dev.holdfast.kafka.inbox.KafkaBatchHandler;
import dev.holdfast.kafka.inbox.KafkaInbox;
import dev.holdfast.kafka.inbox.KafkaInboxSettings;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
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

  /** How a process handles what it reads, and where its effects are committed. */
  private enum Way {
    EACH,
    EACH_APART,
    BATCH,
    BATCH_APART;

    boolean isBatch() {
      return this == BATCH || this == BATCH_APART;
    }

    boolean isApart() {
      return this == EACH_APART || this == BATCH_APART;
    }

    /** How many records there are of a key; they are polled together. */
    int records() {
      return isBatch() ? 3 : 1;
    }
  }

  /** A process that reads the topic. */
  private record Reader() {
    static Reader start(Resources resources, Way way) {
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
      Map<String, Object> kafka =
          Map.of(
              "bootstrap.servers",
              resources.bootstrapServers("kafka", BROKER),
              "fetch.max.wait.ms",
              20);
      KafkaBatchHandler handler =
          (tx, messages) -> {
            if (way.isApart()) {
              try (Connection other = pool.getConnection()) {
                insert(other, messages);
              }
            } else {
              STAGE.effects(tx, messages);
            }
            for (ConsumerRecord<byte[], byte[]> message : messages) {
              String key = InboxStage.text(message.key());
              tx.publish(Message.of("handled", String.valueOf(key), "{}"));
            }
          };
      resources.onStop(
          way.isBatch()
              ? KafkaInbox.startBatch(
                  holdfast,
                  STAGE.consumer,
                  kafka,
                  KafkaInboxSettings.DEFAULT,
                  List.of(STAGE.topic),
                  handler)
              : KafkaInbox.start(
                  holdfast,
                  STAGE.consumer,
                  kafka,
                  KafkaInboxSettings.DEFAULT,
                  List.of(STAGE.topic),
                  (tx, message) -> handler.handle(tx, List.of(message))));
      return new Reader();
    }

    private static void insert(Connection other, List<ConsumerRecord<byte[], byte[]>> messages)
        throws SQLException {
      try (PreparedStatement insert =
          other.prepareStatement(
              "insert into %s (key) select unnest(?::text[])".formatted(EFFECT))) {
        insert.setArray(
            1,
            other.createArrayOf(
                "text", messages.stream().map(each -> InboxStage.text(each.key())).toArray()));
        insert.executeUpdate();
      }
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

  private static Scenario<Reader> read(CrashLab lab, Way way) {
    return lab.application(resources -> Reader.start(resources, way))
        .given(
            key -> STAGE.sendTogether(Collections.nCopies(way.records(), STAGE.message(key, "v"))))
        .operation((reader, key) -> reader.awaitHandled(key))
        .quiesce(way.isApart() ? Duration.ofSeconds(2) : Duration.ofSeconds(30))
        .attemptTimeout(Duration.ofSeconds(60))
        .ignoring("pg_notify")
        .expect(
            row(EFFECT).byKey("key").times(way.records()),
            row(STAGE.schema + ".message").byKey("key").times(way.records()));
  }

  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({"consumer.atomicity", "consumer.once"})
  void eachRecordHasItsEffectsOnceWhateverCrashes(CrashLab lab) {
    read(lab, Way.EACH);
  }

  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({"consumer.atomicity", "consumer.once"})
  void eachRecordOfABatchHasItsEffectsOnceWhateverCrashes(CrashLab lab) {
    read(lab, Way.BATCH);
  }

  @Tag("long")
  @CrashTest(crashesDuringRecovery = 1)
  void norDoesASecondCrashWhileTheNextOneStartsRepeatThem(CrashLab lab) {
    read(lab, Way.EACH);
  }

  @Tag("long")
  @CrashTest(crashesDuringRecovery = 1)
  void norDoesASecondCrashRepeatABatch(CrashLab lab) {
    read(lab, Way.BATCH);
  }

  /** The control: effects in a commit of their own. */
  @Tag("long")
  @ParameterizedTest
  @EnumSource(names = {"EACH_APART", "BATCH_APART"})
  void effectsThatAreNotCommittedWithTheOffsetComeTwice(Way way) {
    ExplorationReport report =
        CrashLab.explore("effects apart", CrashLab.Options.defaults(), lab -> read(lab, way));
    assertThat(report.findings()).extracting(Finding::verdict).contains(Verdict.DUPLICATE);
  }
}
