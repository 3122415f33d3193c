package dev.holdfast.opensearch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.StoreUnavailable;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of documents, whatever comes twice, late, or cannot be written. */
final class SearchTargetTest {
  private final SearchIndex index =
      SearchIndex.of(TestServers.engine(), TestServers.unique("orders"))
          .definition(
              """
              {"settings": {"number_of_replicas": 0},
               "mappings": {"properties": {"n": {"type": "long"}}}}
              """);

  @BeforeEach
  void create() {
    assertThat(index.create()).isTrue();
    assertThat(index.create()).isFalse();
  }

  /** The key is the document; without a payload it is deleted. */
  private static Optional<Document> document(OutboxRecord message) {
    String key = Objects.requireNonNull(message.key());
    if (key.startsWith("none")) {
      return Optional.empty();
    }
    byte[] payload = message.payload();
    return Optional.of(
        payload == null ? Document.deleted(key) : Document.of(key, new String(payload, UTF_8)));
  }

  private static OutboxRecord message(long position, String key, @Nullable String json) {
    return new OutboxRecord(
        position,
        OutboxRecord.Kind.MESSAGE,
        UUID.randomUUID(),
        "orders",
        key,
        "order",
        "application/json",
        json == null ? null : json.getBytes(UTF_8),
        Map.of(),
        null,
        1_000_000_000_000L);
  }

  private TargetSession open() {
    return SearchTarget.to(index, SearchTargetTest::document)
        .open(new Target.Context("search", "scope"));
  }

  private Delivery send(OutboxRecord... messages) {
    try (TargetSession session = open()) {
      return session.send(List.of(messages), "p");
    }
  }

  private List<String> found() {
    return TestServers.search(index.name(), "n");
  }

  @Test
  void isWhatThingsHaveBecome() {
    assertThat(
            send(
                message(1, "a", "{\"n\": 1}"),
                message(2, "b", "{\n\"n\": 2}"),
                message(3, "a", "{\"n\": 3}"),
                message(4, "none", "nothing"),
                message(5, "c", "{\"n\": 5}"),
                message(6, "c", null)))
        .isInstanceOf(Delivery.Done.class);
    assertThat(found()).containsExactly("b={\"n\":2}", "a={\"n\":3}");
  }

  @Test
  void nothingOlderReplacesWhatIsThereOrWasDeleted() {
    send(message(10, "a", "{\"n\": 10}"), message(11, "b", "{\"n\": 11}"));
    send(message(12, "b", null));
    // A relay that was given up wakes up, and sends what it had.
    assertThat(send(message(8, "a", "{\"n\": 8}"), message(9, "b", "{\"n\": 9}")))
        .isInstanceOf(Delivery.Done.class);
    assertThat(send(message(12, "b", null))).isInstanceOf(Delivery.Done.class);
    assertThat(found()).containsExactly("a={\"n\":10}");
  }

  @Test
  void whateverIsRepeatedAndInWhateverOrderTheLastStateStays() {
    Random random = new Random(7);
    List<OutboxRecord> all = new ArrayList<>();
    for (int position = 1; position <= 300; position++) {
      String key = "k" + random.nextInt(12);
      all.add(message(position, key, random.nextInt(4) == 0 ? null : "{\"n\": " + position + "}"));
    }
    List<String> expected = new ArrayList<>();
    for (OutboxRecord message : all) {
      expected.removeIf(there -> there.startsWith(message.key() + "="));
      if (message.payload() != null) {
        expected.add(message.key() + "={\"n\":" + message.position() + "}");
      }
    }
    List<OutboxRecord> twice = new ArrayList<>(all);
    twice.addAll(all.subList(100, 250));
    Collections.shuffle(twice, random);
    for (int from = 0; from < twice.size(); from += 90) {
      // A relay sends what it has in the order of the positions.
      OutboxRecord[] part =
          twice.subList(from, Math.min(twice.size(), from + 90)).stream()
              .sorted(Comparator.comparing(OutboxRecord::position))
              .toArray(OutboxRecord[]::new);
      assertThat(send(part)).isInstanceOf(Delivery.Done.class);
    }
    assertThat(found()).containsExactlyElementsOf(expected);
  }

  @Test
  void aConflictWithTheMappingIsRefusedAloneAndHoldsUpItsKey() {
    Delivery delivery =
        send(
            message(1, "a", "{\"n\": 1}"),
            message(2, "b", "{\"n\": 2}"),
            message(3, "a", "{\"n\": \"many\"}"),
            message(4, "a", "{\"n\": 4}"),
            message(5, "c", "{\"n\": 5}"));
    // The last state of the key goes for the others, as long as it can be written.
    assertThat(delivery).isInstanceOf(Delivery.Done.class);
    delivery =
        send(
            message(6, "a", "{\"n\": 6}"),
            message(7, "a", "{\"n\": \"many\"}"),
            message(8, "b", "{\"n\": 8}"));
    assertThat(delivery)
        .isInstanceOfSatisfying(
            Delivery.Refused.class,
            refused -> {
              assertThat(refused.refused()).containsOnlyKeys(7L);
              assertThat(refused.refused().get(7L)).contains("mapper_parsing_exception");
              assertThat(refused.delivered()).containsExactlyInAnyOrder(6L, 8L);
            });
    assertThat(found()).containsExactly("c={\"n\":5}", "a={\"n\":6}", "b={\"n\":8}");
  }

  @Test
  void whatIsNoDocumentIsRefusedAndNeverAnOrderOfItsOwn() {
    String two = "{\"n\": 1}\n{\"index\": {\"_id\": \"z\"}}\n{\"n\": 2}";
    Delivery delivery =
        send(
            message(1, "a", two),
            message(2, "b", "[1]"),
            message(3, "c", "{\"n\": 1"),
            message(4, "d", "{\"holdfast_deleted_at\": \"2026-01-01\"}"),
            message(5, "e".repeat(600), "{\"n\": 1}"),
            message(6, "f", "{\"n\": 6}"));
    assertThat(delivery)
        .isInstanceOfSatisfying(
            Delivery.Refused.class,
            refused -> {
              assertThat(refused.refused()).containsOnlyKeys(1L, 2L, 3L, 4L, 5L);
              assertThat(refused.delivered()).containsExactly(6L);
            });
    assertThat(found()).containsExactly("f={\"n\":6}");
  }

  /** Two streams about one document; the second one is newer than what the first one said of it. */
  @Test
  void aMessageThatSaysNothingMakesNoDocumentNewer() {
    SearchTarget target =
        SearchTarget.to(
            index,
            message ->
                message.payload() == null
                    ? Optional.empty()
                    : Optional.of(Document.of("one", new String(message.payload(), UTF_8))));
    try (TargetSession session = target.open(new Target.Context("search", "scope"))) {
      assertThat(
              session.send(
                  List.of(
                      message(1, "a", "{\"n\": 1}"),
                      message(2, "b", "{\"n\": 2}"),
                      message(3, "a", null)),
                  "p"))
          .isInstanceOf(Delivery.Done.class);
    }
    assertThat(found()).containsExactly("one={\"n\":2}");
  }

  @Test
  void aMessageWhoseMappingOverflowsTheStackIsRefusedAlone() {
    SearchTarget target =
        SearchTarget.to(
            index,
            message -> {
              if ("deep".equals(message.key())) {
                throw new StackOverflowError();
              }
              return document(message);
            });
    try (TargetSession session = target.open(new Target.Context("search", "scope"))) {
      assertThat(
              session.send(
                  List.of(message(1, "deep", "{\"n\": 1}"), message(2, "b", "{\"n\": 2}")), "p"))
          .isInstanceOfSatisfying(
              Delivery.Refused.class,
              refused -> {
                assertThat(refused.refused()).containsOnlyKeys(1L);
                assertThat(refused.delivered()).containsExactly(2L);
              });
    }
  }

  @Test
  void anIdThatIsNoTextIsRefusedAlone() {
    Delivery delivery = send(message(1, "\ud800", "{\"n\": 1}"), message(2, "b", "{\"n\": 2}"));
    assertThat(delivery)
        .isInstanceOfSatisfying(
            Delivery.Refused.class,
            refused -> {
              assertThat(refused.refused()).containsOnlyKeys(1L);
              assertThat(refused.delivered()).containsExactly(2L);
            });
    assertThat(found()).containsExactly("b={\"n\":2}");
  }

  @Test
  void whereTheIndexWasDeletedNothingIsWrittenAndTheMessagesWait() {
    send(message(1, "a", "{\"n\": 1}"));
    TestServers.ask("DELETE", "/" + index.physical().orElseThrow(), null);
    assertThat(send(message(2, "a", "{\"n\": 2}")))
        .isInstanceOfSatisfying(
            Delivery.Unavailable.class,
            gone -> assertThat(gone.reason()).contains("no alias " + index.name(), "rebuild"));
    assertThat(TestServers.ask("GET", "/" + index.name(), null).status()).isEqualTo(404);
    assertThat(index.create()).isTrue();
    assertThat(send(message(2, "a", "{\"n\": 2}"))).isInstanceOf(Delivery.Done.class);
    assertThat(found()).containsExactly("a={\"n\":2}");
  }

  @Test
  void whereTheIndexIsClosedTheMessagesWait() {
    send(message(1, "a", "{\"n\": 1}"));
    String physical = index.physical().orElseThrow();
    TestServers.ask("POST", "/" + physical + "/_close", null);
    assertThat(send(message(2, "a", "{\"n\": 2}"), message(3, "b", "{\"n\": 3}")))
        .isInstanceOf(Delivery.Unavailable.class);
    TestServers.ask("POST", "/" + physical + "/_open", null);
    assertThat(send(message(2, "a", "{\"n\": 2}"), message(3, "b", "{\"n\": 3}")))
        .isInstanceOf(Delivery.Done.class);
    assertThat(found()).containsExactly("a={\"n\":2}", "b={\"n\":3}");
  }

  @Test
  void whereTheAliasStandsForTwoIndexesTheMessagesWait() {
    String second = index.name() + ".other";
    TestServers.ask("PUT", "/" + second, "{\"aliases\": {\"" + index.name() + "\": {}}}");
    assertThat(send(message(1, "a", "{\"n\": 1}"))).isInstanceOf(Delivery.Unavailable.class);
    TestServers.ask("DELETE", "/" + second, null);
    assertThat(send(message(1, "a", "{\"n\": 1}"))).isInstanceOf(Delivery.Done.class);
    assertThat(found()).containsExactly("a={\"n\":1}");
  }

  @Test
  void whereTheIndexIsReadOnlyTheMessagesWait() {
    String settings = "/" + index.physical().orElseThrow() + "/_settings";
    TestServers.ask("PUT", settings, "{\"index.blocks.read_only_allow_delete\": true}");
    assertThat(send(message(1, "a", "{\"n\": 1}"))).isInstanceOf(Delivery.Unavailable.class);
    TestServers.ask("PUT", settings, "{\"index.blocks.read_only_allow_delete\": null}");
    TestServers.ask("PUT", settings, "{\"index.blocks.write\": true}");
    assertThat(send(message(1, "a", "{\"n\": 1}"))).isInstanceOf(Delivery.Unavailable.class);
    TestServers.ask("PUT", settings, "{\"index.blocks.write\": null}");
    assertThat(send(message(1, "a", "{\"n\": 1}"))).isInstanceOf(Delivery.Done.class);
  }

  /** A document is made of what a database has. */
  @Test
  void whereADocumentCannotBeMadeNowTheMessagesWait() {
    AtomicBoolean isAway = new AtomicBoolean(true);
    SearchTarget target =
        SearchTarget.to(
            index,
            message -> {
              if (isAway.get() && "b".equals(message.key())) {
                throw new StoreUnavailable("the database is away", null);
              }
              return document(message);
            });
    try (TargetSession session = target.open(new Target.Context("search", "scope"))) {
      List<OutboxRecord> messages =
          List.of(message(1, "a", "{\"n\": 1}"), message(2, "b", "{\"n\": 2}"));
      assertThat(session.send(messages, "p"))
          .isInstanceOfSatisfying(
              Delivery.Unavailable.class,
              unavailable -> assertThat(unavailable.reason()).contains("the database is away"));
      isAway.set(false);
      assertThat(session.send(messages, "p")).isInstanceOf(Delivery.Done.class);
    }
    assertThat(found()).containsExactly("a={\"n\":1}", "b={\"n\":2}");
  }

  @Test
  void moreThanARequestTakesGoesInSeveral() {
    List<OutboxRecord> all = new ArrayList<>();
    for (int i = 1; i <= 2_500; i++) {
      all.add(message(i, "k" + i, "{\"n\": " + i + "}"));
    }
    assertThat(send(all.toArray(OutboxRecord[]::new))).isInstanceOf(Delivery.Done.class);
    index.refresh();
    assertThat(TestServers.get("/" + index.name() + "/_count").path("count").asInt())
        .isEqualTo(2_500);
  }
}
