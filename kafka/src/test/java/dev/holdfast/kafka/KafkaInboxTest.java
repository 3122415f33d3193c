package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.TryAgainLater;
import dev.holdfast.inbox.store.ConsumerParking.Lane;
import dev.holdfast.inbox.store.OffsetStore.Position;
import dev.holdfast.kafka.inbox.KafkaHandler;
import dev.holdfast.kafka.inbox.KafkaInbox;
import dev.holdfast.kafka.inbox.PartitionStatus;
import java.io.IOException;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceConfigurationError;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A consumer whose offsets are committed with its effects. */
class KafkaInboxTest {
  final InboxStage stage = new InboxStage("inbox", 1).batched(isBatched());

  /** Whether it is handed what it polled at once. */
  boolean isBatched() {
    return false;
  }

  @AfterEach
  void end() {
    stage.close();
  }

  private KafkaHandler failing(String value, AtomicBoolean broken) {
    return (tx, message) -> {
      stage.effect(tx, message);
      if (broken.get() && value.equals(InboxStage.text(message.value()))) {
        throw new IllegalStateException("cannot handle " + value);
      }
    };
  }

  List<Lane> parked() {
    return stage.store.consumerParking().all(stage.consumer, 10);
  }

  private Position position() {
    return stage.store.offsets().positions(stage.consumer).get(0);
  }

  private String stopped() {
    return stage.store.offsets().positions(stage.consumer).stream()
        .map(position -> String.valueOf(position.stopped()))
        .findFirst()
        .orElse("null");
  }

  @Test
  void goesOnBehindWhatItHandledWhenItStartsAgain() {
    KafkaInbox first = stage.start(stage::effect);
    stage.send("a", "1");
    stage.send("a", "2");
    stage.awaitValues("1", "2");
    first.close();
    stage.send("a", "3");

    stage.start(stage::effect);
    stage.awaitValues("1", "2", "3");

    assertThat(position().next()).isEqualTo(3);
    assertThat(position().stopped()).isNull();
  }

  @Test
  void beginsWithWhatComesFromNowOnWhenAskedTo() {
    stage.send("a", "old");
    KafkaInbox inbox =
        stage.start(InboxStage.SETTINGS.withStartAt(Instant.MAX), Map.of(), stage::effect);
    await().atMost(InboxStage.SOON).until(() -> !inbox.status().isEmpty());
    stage.send("a", "new");
    stage.awaitValues("new");
  }

  @Test
  void topicThatAppearsLaterIsReadFromItsFirstRecordWhateverTheStart() throws Exception {
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", TestServers.KAFKA.bootstrapServers()))) {
      admin.deleteTopics(List.of(stage.topic)).all().get();
      await()
          .atMost(InboxStage.SOON)
          .until(() -> !admin.listTopics().names().get().contains(stage.topic));
      stage.start(
          InboxStage.SETTINGS.withStartAt(Instant.MAX),
          Map.of("metadata.max.age.ms", "500"),
          stage::effect);
      // Before it joins its group it looks for its topics, and only then may this one come.
      await()
          .atMost(InboxStage.SOON)
          .ignoreExceptions()
          .until(
              () ->
                  Objects.requireNonNull(
                              admin
                                  .describeConsumerGroups(List.of(stage.consumer))
                                  .describedGroups()
                                  .get(stage.consumer))
                          .get()
                          .members()
                          .size()
                      == 1);
    }
    TestServers.KAFKA.createTopic(stage.topic, 1);
    stage.send("a", "1");
    stage.awaitValues("1");
  }

  @Test
  void pauseIsSeenWhileARecordWaitsForWhatItsHandlerNeeds() {
    AtomicInteger calls = new AtomicInteger();
    KafkaInbox inbox =
        stage.start(
            (tx, message) -> {
              if (calls.incrementAndGet() == 1) {
                stage.store.offsets().pause(stage.consumer, "the warehouse is rebuilt");
                throw new TryAgainLater("the warehouse does not answer");
              }
              stage.effect(tx, message);
            });
    stage.send("a", "1");
    await().atMost(InboxStage.SOON).until(() -> calls.get() == 1);
    // Unless it saw the pause, it would try again within a tenth of a second.
    await()
        .during(Duration.ofSeconds(2))
        .atMost(InboxStage.SOON)
        .until(() -> calls.get() == 1 && stage.values().isEmpty());
    inbox.resume();
    stage.awaitValues("1");
  }

  @Test
  void whatIsSetMeanwhileIsNotStopped() {
    stage.start(stage::effect);
    stage.send("a", "1");
    stage.awaitValues("1");
    Position position = position();
    Position old = new Position(position.partition(), position.next() - 1, null, null);
    assertThat(stage.store.offsets().stop(stage.consumer, old, "a doubt of an older place"))
        .isFalse();
    assertThat(position().stopped()).isNull();
    assertThat(stage.store.offsets().stop(stage.consumer, position, "a doubt")).isTrue();
    assertThat(stopped()).isEqualTo("a doubt");
  }

  @Test
  void whatItPublishesIsOfTheOperationThatTheRecordCarries() {
    stage.store.channels().register("c", List.of("out"));
    stage.start(
        (tx, message) -> {
          stage.effect(tx, message);
          tx.publish(Message.of("out", "k", "{}"));
        });
    stage.send("a", "1", "m-1");
    stage.send("a", "2", "m-2");
    stage.awaitValues("1", "2");

    assertThat(
            stage.strings(
                "select operation_id from %s.message order by position".formatted(stage.schema)))
        .containsExactly("op-m-1", "op-m-2");
    assertThat(
            stage.strings("select operation_id from %s.effect order by n".formatted(stage.schema)))
        .containsExactly("op-m-1", "op-m-2");
  }

  @Test
  @Attacks({"consumer.parking", "consumer.order"})
  void poisonAtTheHeadIsParkedWithTheLaterOnesOfItsKeyAndOthersGoOn() {
    AtomicBoolean broken = new AtomicBoolean(true);
    stage.send("bad", "b1");
    stage.send("good", "g1");
    stage.send("bad", "b2");
    stage.send("good", "g2");
    KafkaInbox inbox = stage.start(failing("b1", broken));

    stage.awaitValues("g1", "g2");
    assertThat(parked())
        .singleElement()
        .satisfies(
            lane -> {
              assertThat(lane.name()).isEqualTo("k:bad");
              assertThat(lane.records()).isEqualTo(2);
              assertThat(lane.reason()).contains("cannot handle b1");
            });

    // Released while the handler is still broken, it stays.
    release();
    await().atMost(InboxStage.SOON).until(() -> !parked().get(0).releasing());
    assertThat(parked().get(0).records()).isEqualTo(2);

    // Another process finds the key parked.
    inbox.close();
    broken.set(false);
    stage.send("bad", "b3");
    stage.send("good", "g3");
    stage.start(failing("b1", broken));
    stage.awaitValues("g1", "g2", "g3");
    assertThat(parked().get(0).records()).isEqualTo(3);

    release();
    stage.awaitValues("g1", "g2", "g3", "b1", "b2", "b3");
    await().atMost(InboxStage.SOON).until(() -> parked().isEmpty());
    stage.send("bad", "b4");
    stage.awaitValues("g1", "g2", "g3", "b1", "b2", "b3", "b4");
  }

  private void release() {
    assertThat(
            stage.store.consumerParking().release(stage.consumer, stage.topic, 0, "k:bad", "ops"))
        .isTrue();
  }

  @Test
  void skippedRecordIsNotHandledAndThoseBehindItAre() {
    AtomicBoolean broken = new AtomicBoolean(true);
    stage.send("bad", "b1");
    stage.send("bad", "b2");
    stage.start(failing("b1", broken));
    await()
        .atMost(InboxStage.SOON)
        .until(() -> parked().stream().anyMatch(lane -> lane.records() == 2));

    assertThat(stage.store.consumerParking().skip(stage.consumer, stage.topic, 0, 0, "ops"))
        .isTrue();
    release();

    stage.awaitValues("b2");
    assertThat(
            stage.strings(
                "select action || ' ' || position from %s.audit where action = 'SKIP'"
                    .formatted(stage.schema)))
        .containsExactly("SKIP 0");
  }

  @Test
  void ofTwoTopicsOfOneNameTheOneThatIsReadIsReleasedAndSkipped() {
    AtomicBoolean broken = new AtomicBoolean(true);
    KafkaInbox inbox = stage.start(failing("b1", broken));
    stage.send("bad", "b1");
    await().atMost(InboxStage.SOON).until(() -> parked().size() == 1);
    stage.recreateTopic(1);
    stage.send("good", "new");
    await().atMost(InboxStage.SOON).until(() -> stopped().contains("made again"));
    inbox.seek(Instant.MIN);
    stage.awaitValues("new");
    assertThat(stage.store.consumerParking().release(stage.consumer, stage.topic, 0, "k:bad", "x"))
        .as("nobody reads the topic before any more")
        .isFalse();

    stage.recreateTopic(1);
    stage.send("bad", "b1");
    await().atMost(InboxStage.SOON).until(() -> stopped().contains("made again"));
    inbox.seek(Instant.MIN);
    await().atMost(InboxStage.SOON).until(() -> parked().size() == 2);
    assertThat(stage.store.consumerParking().skip(stage.consumer, stage.topic, 0, 0, "ops"))
        .isTrue();
    assertThat(parked()).extracting(Lane::records).containsExactly(1L, 0L);
  }

  @Test
  @Attacks({"consumer.parking", "consumer.order"})
  void outageOfWhatTheHandlerNeedsCountsNoAttemptAndKeepsTheOrder() {
    AtomicInteger calls = new AtomicInteger();
    int failures = InboxStage.SETTINGS.attempts() + 3;
    stage.start(
        (tx, message) -> {
          if (calls.incrementAndGet() <= failures) {
            throw new TryAgainLater("the warehouse does not answer");
          }
          stage.effect(tx, message);
        });
    stage.send("a", "1");
    stage.send("b", "2");

    stage.awaitValues("1", "2");
    assertThat(parked()).isEmpty();
    assertThat(calls.get()).isGreaterThan(failures);
  }

  @Test
  void tooManyParkedStopTheirPartitionUntilSomebodySaysWhereToGoOn() {
    AtomicBoolean broken = new AtomicBoolean(true);
    KafkaInbox inbox =
        stage.start(
            InboxStage.SETTINGS.withMaxParked(2).withAttempts(1),
            Map.of(),
            (tx, message) -> {
              stage.effect(tx, message);
              if (broken.get()) {
                throw new IllegalStateException("nothing works");
              }
            });
    for (int i = 0; i < 4; i++) {
      stage.send("k" + i, "v" + i);
    }
    await().atMost(InboxStage.SOON).until(() -> stopped().contains("2 records are parked"));
    assertThat(position().next()).isEqualTo(2);
    await()
        .atMost(InboxStage.SOON)
        .until(
            () ->
                inbox.status().stream()
                    .map(PartitionStatus::stopped)
                    .anyMatch(reason -> reason != null && reason.contains("nothing works")));

    broken.set(false);
    stage
        .store
        .offsets()
        .seek(stage.consumer, stage.topic, position().partition().topicId(), Map.of(0, 2L));
    stage.awaitValues("v2", "v3");
  }

  @Test
  @Attacks("consumer.no-reset")
  void topicMadeAgainIsNotReadUntilSomebodySaysWhereToGoOn() {
    KafkaInbox inbox = stage.start(stage::effect);
    stage.send("a", "1");
    stage.send("a", "2");
    stage.awaitValues("1", "2");

    stage.recreateTopic(1);
    stage.send("a", "new 1");
    stage.send("a", "new 2");
    stage.send("a", "new 3");

    await()
        .atMost(InboxStage.SOON)
        .until(() -> stopped().contains("the topic was deleted and made again"));
    assertThat(stage.values()).containsExactly("1", "2");

    inbox.seek(Instant.MIN);
    stage.awaitValues("1", "2", "new 1", "new 2", "new 3");
  }

  @Test
  void topicMadeAgainWhileNobodyReadIsNotRead() {
    stage.start(stage::effect).close();
    KafkaInbox first = stage.start(stage::effect);
    stage.send("a", "1");
    stage.awaitValues("1");
    first.close();
    stage.recreateTopic(1);
    stage.send("a", "new 1");
    stage.send("a", "new 2");

    stage.start(stage::effect);
    await()
        .atMost(InboxStage.SOON)
        .until(() -> stopped().contains("the topic was deleted and made again"));
    assertThat(stage.values()).containsExactly("1");
  }

  @Test
  @Attacks("consumer.no-reset")
  void offsetsOvertakenByRetentionAreAQuestionAndNoReset()
      throws ExecutionException, InterruptedException {
    KafkaInbox first = stage.start(stage::effect);
    stage.send("a", "1");
    stage.awaitValues("1");
    first.close();
    stage.send("a", "2");
    stage.send("a", "3");
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", TestServers.KAFKA.bootstrapServers()))) {
      admin
          .deleteRecords(
              Map.of(new TopicPartition(stage.topic, 0), RecordsToDelete.beforeOffset(2)))
          .all()
          .get();
    }

    KafkaInbox second = stage.start(stage::effect);
    await()
        .atMost(InboxStage.SOON)
        .until(() -> stopped().contains("records from offset 1 to 1 were deleted"));
    assertThat(stage.values()).containsExactly("1");

    second.seek(Instant.MIN);
    stage.awaitValues("1", "3");
  }

  @Test
  void newPartitionsBeginAtTheirFirstRecord() throws ExecutionException, InterruptedException {
    KafkaInbox inbox =
        stage.start(
            InboxStage.SETTINGS.withStartAt(Instant.MAX),
            Map.of("metadata.max.age.ms", 500),
            stage::effect);
    await().atMost(InboxStage.SOON).until(() -> !inbox.status().isEmpty());
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", TestServers.KAFKA.bootstrapServers()))) {
      admin
          .createPartitions(
              Map.of(stage.topic, org.apache.kafka.clients.admin.NewPartitions.increaseTo(2)))
          .all()
          .get();
    }
    await()
        .atMost(InboxStage.SOON)
        .until(
            () -> {
              stage.send(new ProducerRecord<>(stage.topic, 1, "a", "on the new one"));
              return true;
            });
    stage.awaitValues("on the new one");
  }

  @Test
  @Attacks("consumer.ids")
  void idTellsTwoOfTheSameApartWhenAsked() {
    stage.start(InboxStage.SETTINGS.withMessageIds(InboxSettings.DEFAULT), Map.of(), stage::effect);
    stage.send("a", "1", "m-1");
    stage.send("a", "1", "m-1");
    stage.send("a", "2", "m-2");
    stage.awaitValues("1", "2");
    stage.send("a", "1", "m-1");
    stage.send("b", "3", "m-3");
    stage.awaitValues("1", "2", "3");

    stage.send("c", "another", "m-1");
    stage.send("d", "no id");
    await().atMost(InboxStage.SOON).until(() -> parked().size() == 2);
    assertThat(parked())
        .extracting(Lane::reason)
        .anySatisfy(reason -> assertThat(reason).contains("another message under the id m-1"))
        .anySatisfy(reason -> assertThat(reason).contains("must have 1 to 512"));
    assertThat(stage.values()).containsExactly("1", "2", "3");
  }

  /** Otherwise the row of the inbox could not be written, and the partition would wait for ever. */
  @Test
  @Attacks("consumer.once")
  void operationIdThatCannotBeKeptIsReplacedByANewOne() {
    stage.start(InboxStage.SETTINGS.withMessageIds(InboxSettings.DEFAULT), Map.of(), stage::effect);
    for (String operation : List.of("", "a\u0000b", "x".repeat(201))) {
      stage.send(
          stage.message("a", "of " + operation.length(), "m" + operation.length(), operation));
    }
    stage.awaitValues("of 0", "of 3", "of 201");
    assertThat(stage.strings("select operation_id from %s.effect".formatted(stage.schema)))
        .allSatisfy(operation -> assertThat(operation).hasSize(36));
    assertThat(parked()).isEmpty();
  }

  /** The same without ids: the control of the test before the last. */
  @Test
  void withoutIdsTwoOfTheSameAreTwo() {
    stage.start(stage::effect);
    stage.send("a", "1", "m-1");
    stage.send("a", "1", "m-1");
    stage.awaitValues("1", "1");
  }

  @Test
  void pausesAndGoesOnAndGoesBack() {
    KafkaInbox inbox = stage.start(stage::effect);
    stage.send("a", "1");
    stage.awaitValues("1");
    inbox.pause("a migration");
    assertThat(stage.store.offsets().pausedBecause(stage.consumer)).contains("a migration");
    // The housekeeping after the pause has seen it when lag grows and nothing is handled.
    await()
        .atMost(InboxStage.SOON)
        .until(
            () -> {
              stage.send("a", "x");
              return inbox.status().stream().anyMatch(status -> status.lag() > 0);
            });
    List<String> before = stage.values();

    inbox.resume();
    await().atMost(InboxStage.SOON).until(() -> stage.values().size() > before.size());

    inbox.seek(Instant.MIN);
    await()
        .atMost(InboxStage.SOON)
        .until(() -> stage.values().stream().filter("1"::equals).count() == 2);
  }

  @Test
  void tombstonesAndKeysOfAnyBytesAreHandledAndParked() {
    AtomicBoolean broken = new AtomicBoolean(true);
    stage.start(
        InboxStage.SETTINGS.withAttempts(1),
        Map.of(),
        (tx, message) -> {
          if (broken.get() && message.value() == null) {
            throw new IllegalStateException("no value");
          }
          stage.effect(tx, message);
        });
    stage.send("a\u0000b", null);
    stage.send(null, null);
    stage.send(null, "unkeyed");
    stage.awaitValues("unkeyed");
    assertThat(parked()).extracting(Lane::name).anyMatch(n -> n.startsWith("h:")).contains("o:1");
  }

  @Test
  @Attacks("consumer.parking")
  void whateverAHandlerThrowsOrLeavesBehindParksItsRecordAndEndsNothing() {
    stage.start(
        InboxStage.SETTINGS.withAttempts(1),
        Map.of(),
        (tx, message) -> {
          switch (String.valueOf(InboxStage.text(message.value()))) {
            case "error" -> throw new ServiceConfigurationError("no such service");
            case "undeclared" -> throwUndeclared(new IOException("no such file"));
            case "zero" -> throw new NumberFormatException("For input string: \"\u0000\"");
            case "interrupt" -> Thread.currentThread().interrupt();
            default -> {}
          }
          stage.effect(tx, message);
        });
    for (String value : List.of("error", "undeclared", "zero")) {
      ProducerRecord<String, String> message =
          new ProducerRecord<>(stage.topic, "k-" + value, value);
      message.headers().add("a\u0000b", new byte[] {1});
      stage.send(message);
    }
    stage.send("good", "1");
    stage.awaitValues("1");
    assertThat(parked())
        .extracting(Lane::reason)
        .anySatisfy(reason -> assertThat(reason).contains("no such service"))
        .anySatisfy(reason -> assertThat(reason).contains("no such file"))
        .anySatisfy(reason -> assertThat(reason).contains("For input string"))
        .hasSize(3);

    stage.send("good", "interrupt");
    stage.send("good", "2");
    await().atMost(InboxStage.SOON).until(() -> stage.values().contains("2"));
    assertThat(stage.values()).containsExactly("1", "interrupt", "2");
  }

  /** As languages do that know no checked exceptions. */
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <E extends Exception> void throwUndeclared(Exception e) throws E {
    throw (E) e;
  }

  @Test
  @Attacks("consumer.parking")
  void whatFailsAtTheCommitIsParkedAndStaysSoWhenItFailsAgain() {
    stage.execute(
        "create table %1$s.once (value text, unique (value) deferrable initially deferred)"
            .formatted(stage.schema));
    stage.execute("insert into %s.once values ('taken')".formatted(stage.schema));
    stage.start(
        InboxStage.SETTINGS.withAttempts(1),
        Map.of(),
        (tx, message) -> {
          tx.update(
              "insert into %s.once values (?)".formatted(stage.schema),
              InboxStage.text(message.value()));
          stage.effect(tx, message);
        });
    stage.send("bad", "taken");
    stage.send("good", "1");
    stage.send("good", "2");
    stage.awaitValues("1", "2");
    assertThat(parked()).singleElement().satisfies(lane -> assertThat(lane.records()).isOne());

    release();
    await().atMost(InboxStage.SOON).until(() -> !parked().get(0).releasing());
    stage.execute("delete from %s.once where value = 'taken'".formatted(stage.schema));
    release();
    stage.awaitValues("1", "2", "taken");
  }

  @Test
  @Attacks("consumer.parking")
  void aDatabaseThatRefusesHoldfastsOwnStatementsParksNothing() {
    stage.start(InboxStage.SETTINGS.withAttempts(1), Map.of(), stage::effect);
    stage.send("a", "1");
    stage.awaitValues("1");
    String function =
        "alter function %1$s.move_offsets(text, text[], uuid[], integer[], bigint[], bigint[], integer[], integer) rename to move_offsets";
    stage.execute((function + "_away").formatted(stage.schema));
    stage.send("a", "2");
    stage.send("b", "3");
    await()
        .pollDelay(Duration.ofSeconds(2))
        .atMost(InboxStage.SOON)
        .until(() -> stage.values().equals(List.of("1")));
    stage.execute(function.replace("move_offsets(", "move_offsets_away(").formatted(stage.schema));
    stage.awaitValues("1", "2", "3");
    assertThat(parked()).isEmpty();
  }

  @Test
  void badSettingsAreRefusedBeforeAnythingStarts() {
    Holdfast holdfast = stage.process();
    assertThatThrownBy(
            () ->
                KafkaInbox.start(
                    holdfast, "c", Map.of(), InboxStage.SETTINGS, List.of("t"), stage::effect))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("bootstrap.servers");
    assertThatThrownBy(
            () ->
                stage.start(
                    InboxStage.SETTINGS, Map.of("enable.auto.commit", "true"), stage::effect))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("enable.auto.commit");
    assertThatThrownBy(
            () ->
                stage.start(
                    InboxStage.SETTINGS, Map.of("auto.offset.reset", "latest"), stage::effect))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("auto.offset.reset");
    assertThatThrownBy(
            () -> stage.start(InboxStage.SETTINGS, Map.of("group.id", "other"), stage::effect))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("group.id");
    assertThatThrownBy(() -> InboxStage.SETTINGS.withAttempts(0))
        .isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> InboxStage.SETTINGS.withHandlerSilence(Duration.ZERO))
        .isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(
            () ->
                KafkaInbox.start(
                    holdfast,
                    "c",
                    Map.of("bootstrap.servers", "localhost:1"),
                    InboxStage.SETTINGS,
                    List.of(),
                    stage::effect))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("no topics");
  }

  @Test
  @Attacks("consumer.parking")
  void handlerThatEndsTheTransactionItselfIsRefusedAndParked() {
    stage.start(
        InboxStage.SETTINGS.withAttempts(1),
        Map.of(),
        (tx, message) -> {
          stage.effect(tx, message);
          switch (String.valueOf(InboxStage.text(message.value()))) {
            case "by call" -> tx.connection().commit();
            case "by update" -> tx.update("-- now\n commit");
            case "by statement" -> {
              try (Statement statement = tx.connection().createStatement()) {
                statement.execute("ROLLBACK");
              }
            }
            default -> {}
          }
        });
    stage.sendTogether(
        List.of(
            stage.message("a", "by call"),
            stage.message("b", "good"),
            stage.message("c", "by update"),
            stage.message("d", "by statement"),
            stage.message("e", "too")));
    stage.awaitValues("good", "too");
    assertThat(parked())
        .hasSize(3)
        .allSatisfy(lane -> assertThat(lane.reason()).contains("is ended by Holdfast"));
  }

  @Test
  @Attacks("consumer.parking")
  void recordWhoseHandlerLeavesTheTransactionAloneIsParkedAndNotItsNeighbours() {
    stage.start(
        InboxStage.SETTINGS.withAttempts(1).withHandlerSilence(Duration.ofSeconds(1)),
        Map.of(),
        (tx, message) -> {
          stage.effect(tx, message);
          if ("slow".equals(InboxStage.text(message.value()))) {
            await().atMost(InboxStage.SOON).until(this::nobodyIsIdleInATransaction);
          }
        });
    stage.sendTogether(
        List.of(stage.message("a", "1"), stage.message("b", "slow"), stage.message("c", "2")));
    stage.awaitValues("1", "2");
    assertThat(parked())
        .singleElement()
        .satisfies(lane -> assertThat(lane.reason()).contains("left its transaction alone"));
  }

  private boolean nobodyIsIdleInATransaction() {
    return stage
        .strings(
            "select pid from pg_stat_activity where state = 'idle in transaction' and query like '%%%s.effect%%'"
                .formatted(stage.schema))
        .isEmpty();
  }

  /** What took long was in an attempt that the database has refused, and not in the next. */
  @Test
  @Attacks("consumer.parking")
  void outageBehindAnAttemptThatWasLongAndBusyParksNothing() {
    AtomicInteger calls = new AtomicInteger();
    stage.start(
        InboxStage.SETTINGS.withAttempts(1).withHandlerSilence(Duration.ofSeconds(1)),
        Map.of(),
        (tx, message) -> {
          stage.effect(tx, message);
          switch (calls.incrementAndGet()) {
            case 1 -> {
              tx.update("do $$ begin perform pg_sleep(1.5); end $$");
              throw new SQLException("one of two that are in each other's way", "40001");
            }
            case 2 -> throw new TryAgainLater("the warehouse is closed");
            default -> assertThat(calls.get()).isEqualTo(3);
          }
        });
    stage.send("a", "1");
    stage.awaitValues("1");
    assertThat(calls).hasValue(3);
    assertThat(parked()).isEmpty();
  }

  /** It is interrupted in the end, and what it was at is left to the next one. */
  @Tag("long")
  @Test
  @Attacks("consumer.once")
  void closingDoesNotWaitForEverForAHandlerThatNeverReturns() throws InterruptedException {
    CountDownLatch stuck = new CountDownLatch(1);
    KafkaInbox inbox =
        stage.start(
            (tx, message) -> {
              stage.effect(tx, message);
              stuck.countDown();
              try {
                new CountDownLatch(1).await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    stage.send("a", "1");
    assertThat(stuck.await(60, TimeUnit.SECONDS)).isTrue();
    inbox.close();
    assertThat(stage.values()).isEmpty();
    assertThat(parked()).isEmpty();

    stage.start(stage::effect);
    stage.awaitValues("1");
  }
}
