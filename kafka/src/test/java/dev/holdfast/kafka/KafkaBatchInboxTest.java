package dev.holdfast.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.TryAgainLater;
import dev.holdfast.inbox.store.ConsumerParking.Lane;
import dev.holdfast.kafka.inbox.KafkaBatchHandler;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** What is different for a handler that is handed what was polled at once. */
final class KafkaBatchInboxTest {
  private final InboxStage stage = new InboxStage("inbox", 1);

  /** What the handler was called with, whether it was committed or not. */
  private final List<List<String>> calls = Collections.synchronizedList(new ArrayList<>());

  @AfterEach
  void end() {
    stage.close();
  }

  private List<Lane> parked() {
    return stage.store.consumerParking().all(stage.consumer, 10);
  }

  private KafkaBatchHandler writing() {
    return (tx, messages) -> {
      calls.add(values(messages));
      stage.effects(tx, messages);
    };
  }

  private static List<String> values(List<ConsumerRecord<byte[], byte[]>> messages) {
    return messages.stream().map(each -> String.valueOf(InboxStage.text(each.value()))).toList();
  }

  /** Of the form {@code key value}. */
  private void sendTogether(String... messages) {
    stage.sendTogether(
        Arrays.stream(messages)
            .map(each -> each.split(" ", 2))
            .map(each -> stage.message(each[0], each[1]))
            .toList());
  }

  /** The batches in which rows were committed, in order. */
  private List<String> commits() {
    return stage.strings(
        "select string_agg(value, ' ' order by n) from %s.effect group by xmin::text order by min(n)"
            .formatted(stage.schema));
  }

  private void release(String lane) {
    assertThat(stage.store.consumerParking().release(stage.consumer, stage.topic, 0, lane, "ops"))
        .isTrue();
  }

  @Test
  void whatWasPolledTogetherIsOneCallAndOneCommit() {
    stage.startBatch(writing());
    sendTogether("a 1", "b 2", "a 3", "c 4");
    stage.awaitValues("1", "2", "3", "4");
    assertThat(commits()).containsExactly("1 2 3 4");
    assertThat(calls).containsExactly(List.of("1", "2", "3", "4"));
  }

  @Test
  void aPollIsBoundedByTheClientsOwnSetting() {
    stage.startBatch(
        stage.process(), InboxStage.SETTINGS, Map.of("max.poll.records", 3), writing());
    sendTogether("a 1", "a 2", "a 3", "a 4", "a 5", "a 6", "a 7");
    stage.awaitValues("1", "2", "3", "4", "5", "6", "7");
    assertThat(calls).allSatisfy(call -> assertThat(call.size()).isBetween(1, 3));
  }

  @Test
  void rowsCanBeCopied() {
    stage.startBatch(
        (tx, messages) -> {
          String rows =
              messages.stream()
                  .map(each -> InboxStage.text(each.value()) + "\n")
                  .collect(Collectors.joining());
          try {
            tx.connection()
                .unwrap(PGConnection.class)
                .getCopyAPI()
                .copyIn(
                    "copy %s.effect (value) from stdin".formatted(stage.schema),
                    new StringReader(rows));
          } catch (IOException e) {
            throw new IllegalStateException(e);
          }
        });
    sendTogether("a 1", "b 2", "c 3");
    stage.awaitValues("1", "2", "3");
  }

  @Test
  @Attacks({"consumer.parking", "consumer.order"})
  void oneBadRecordAmongManyIsParkedAloneAndTheOthersAreHandledInBatches() {
    stage.execute(
        "alter table %s.effect add constraint good check (value <> 'bad')".formatted(stage.schema));
    stage.startBatch(writing());
    List<String> messages = new ArrayList<>();
    IntStream.range(0, 100).forEach(i -> messages.add("k" + i % 10 + " " + i));
    messages.set(41, "poison bad");
    messages.set(70, "poison behind");
    sendTogether(messages.toArray(String[]::new));

    List<String> expected =
        messages.stream()
            .filter(each -> !each.startsWith("poison"))
            .map(each -> each.split(" ", 2)[1])
            .toList();
    stage.awaitValues(expected.toArray(String[]::new));
    assertThat(parked())
        .singleElement()
        .satisfies(
            lane -> {
              assertThat(lane.name()).isEqualTo("k:poison");
              assertThat(lane.records()).isEqualTo(2);
              assertThat(lane.reason()).contains("violates check constraint");
            });
    assertThat(calls.stream().filter(call -> call.equals(List.of("bad"))))
        .as("tried alone so many times")
        .hasSize(InboxStage.SETTINGS.attempts());
    assertThat(commits()).as("halves, and not one by one").hasSizeLessThanOrEqualTo(8);
  }

  @Test
  @Attacks({"consumer.parking", "consumer.order"})
  void recordsOfAParkedKeyAreLeftOutOfTheBatchAndComeAloneWhenTheyAreReleased() {
    stage.execute(
        "alter table %s.effect add constraint good check (value <> 'bad')".formatted(stage.schema));
    stage.startBatch(stage.process(), InboxStage.SETTINGS.withAttempts(1), Map.of(), writing());
    sendTogether("poison bad");
    await().atMost(InboxStage.SOON).until(() -> parked().size() == 1);
    calls.clear();
    sendTogether("a 1", "poison 2", "b 3", "poison 4");
    stage.awaitValues("1", "3");
    assertThat(calls).containsExactly(List.of("1", "3"));
    assertThat(parked()).extracting(Lane::records).containsExactly(3L);

    calls.clear();
    stage.execute("alter table %s.effect drop constraint good".formatted(stage.schema));
    release("k:poison");
    stage.awaitValues("1", "3", "bad", "2", "4");
    assertThat(calls).containsExactly(List.of("bad"), List.of("2"), List.of("4"));
  }

  @Test
  @Attacks("consumer.parking")
  void whenNothingCanBeHandledEachRecordIsParkedByItself() {
    stage.startBatch(
        stage.process(),
        InboxStage.SETTINGS.withAttempts(1),
        Map.of(),
        (tx, messages) -> {
          stage.effects(tx, messages);
          throw new IllegalStateException("nothing works");
        });
    sendTogether("a 1", "b 2", "c 3", "d 4", "e 5");
    await().atMost(InboxStage.SOON).until(() -> parked().size() == 5);
    assertThat(stage.values()).isEmpty();
  }

  @Test
  @Attacks("consumer.ids")
  void recordsThatWereReceivedBeforeAreLeftOutOfTheBatch() {
    stage.startBatch(
        stage.process(),
        InboxStage.SETTINGS.withMessageIds(InboxSettings.DEFAULT),
        Map.of(),
        writing());
    stage.sendTogether(
        List.of(
            stage.message("a", "1", "m-1", "op"),
            stage.message("a", "1", "m-1", "op"),
            stage.message("a", "2", "m-2", "op")));
    stage.awaitValues("1", "2");
    stage.sendTogether(
        List.of(
            stage.message("a", "1", "m-1", "op"),
            stage.message("b", "3", "m-3", "op"),
            stage.message("a", "2", "m-2", "op")));
    stage.awaitValues("1", "2", "3");
    stage.sendTogether(
        List.of(stage.message("a", "1", "m-1", "op"), stage.message("a", "2", "m-2", "op")));
    stage.send("c", "4", "m-4");
    stage.awaitValues("1", "2", "3", "4");
    assertThat(calls)
        .as("a poll of repeats alone calls nobody")
        .containsExactly(List.of("1", "2"), List.of("3"), List.of("4"));
  }

  /** Otherwise a record that waits for what another one brings about would wait for ever. */
  @Test
  @Attacks({"consumer.parking", "consumer.order"})
  void whatIsInFrontOfARecordThatWaitsIsCommittedMeanwhile() {
    stage.startBatch(
        (tx, messages) -> {
          if (values(messages).contains("waits") && !stage.values().contains("2")) {
            throw new TryAgainLater("2 has not come back from the warehouse");
          }
          calls.add(values(messages));
          stage.effects(tx, messages);
        });
    sendTogether("a 1", "b 2", "c waits", "d 3");
    stage.awaitValues("1", "2", "waits", "3");
    assertThat(parked()).isEmpty();
  }

  @Test
  @Attacks("consumer.parking")
  void aBatchThatDoesNotFitIntoMemoryIsHandledInHalves() {
    stage.startBatch(
        (tx, messages) -> {
          if (messages.size() > 2) {
            throw new OutOfMemoryError("Java heap space");
          }
          stage.effects(tx, messages);
        });
    sendTogether("a 1", "b 2", "c 3", "d 4", "e 5");
    stage.awaitValues("1", "2", "3", "4", "5");
    assertThat(parked()).isEmpty();
  }

  @Test
  void whatItPublishesIsOfTheOperationThatTheRecordCarries() {
    stage.store.channels().register("c", List.of("out"));
    stage.startBatch(
        (tx, messages) -> {
          calls.add(values(messages));
          stage.effects(tx, messages);
          tx.publish(Message.of("out", "k", "{}"));
        });
    stage.sendTogether(
        List.of(
            stage.message("a", "1", "m-1", "op-one"), stage.message("b", "2", "m-2", "op-one")));
    stage.awaitValues("1", "2");
    stage.sendTogether(
        List.of(
            stage.message("a", "3", "m-3", "op-one"), stage.message("b", "4", "m-4", "op-two")));
    stage.awaitValues("1", "2", "3", "4");
    stage.send("a", "5", "m-5");
    stage.awaitValues("1", "2", "3", "4", "5");

    List<String> published =
        stage.strings(
            "select operation_id from %s.message order by position".formatted(stage.schema));
    assertThat(published).hasSize(3);
    assertThat(published.get(0)).isEqualTo("op-one");
    assertThat(published.get(1)).as("of none of them").doesNotStartWith("op-");
    assertThat(published.get(2)).isEqualTo("op-m-5");
  }

  @Test
  void whatGoesOnWithOneRecordIsPublishedUnderItsOperation() {
    stage.store.channels().register("c", List.of("out"));
    Holdfast holdfast = stage.process();
    stage.startBatch(
        holdfast,
        InboxStage.SETTINGS,
        Map.of(),
        (tx, messages) -> {
          stage.effects(tx, messages);
          for (ConsumerRecord<byte[], byte[]> message : messages) {
            String operation =
                new String(message.headers().lastHeader("ce_operationid").value(), UTF_8);
            holdfast.publish(
                tx.connection(), operation, List.of(Message.of("out", operation, "{}")));
          }
        });
    stage.sendTogether(
        List.of(
            stage.message("a", "1", "m-1", "op-one"), stage.message("b", "2", "m-2", "op-two")));
    stage.awaitValues("1", "2");
    assertThat(
            stage.strings(
                "select operation_id from %s.message order by position".formatted(stage.schema)))
        .containsExactly("op-one", "op-two");
  }
}
