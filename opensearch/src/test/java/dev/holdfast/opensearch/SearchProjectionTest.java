package dev.holdfast.opensearch;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Stepper;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.projection.EventChannel;
import dev.holdfast.projection.EventChannels;
import dev.holdfast.projection.ProjectionSettings;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An index that follows the event log: each stream is a document. */
final class SearchProjectionTest {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final ProjectionSettings QUICK =
      ProjectionSettings.DEFAULT
          .withBatch(50)
          .withLease(Duration.ofSeconds(1))
          .withPollInterval(Duration.ofMillis(5));

  private final HikariDataSource pool = TestServers.pool(10);
  private final Stepper stepper = Holdfast.on(pool).schema(TestServers.unique("searched")).manual();
  private final Holdfast holdfast = stepper.holdfast();
  private final String name = TestServers.unique("orders");
  private final List<EventChannels> running = new ArrayList<>();
  private final Map<String, String> expected = new TreeMap<>();

  @AfterEach
  void end() {
    running.forEach(EventChannels::close);
    stepper.close();
    pool.close();
  }

  private SearchIndex index(SearchEngine engine) {
    return SearchIndex.of(engine, name)
        .definition("{\"mappings\": {\"properties\": {\"n\": {\"type\": \"long\"}}}}");
  }

  private static Optional<Document> document(OutboxRecord message) {
    String stream = Objects.requireNonNull(message.key());
    String json = new String(Objects.requireNonNull(message.payload()), StandardCharsets.UTF_8);
    return Optional.of(
        message.type().equals("deleted") ? Document.deleted(stream) : Document.of(stream, json));
  }

  private EventChannels run(SearchEngine engine) {
    EventChannels made =
        EventChannels.start(
            holdfast,
            QUICK,
            EventChannel.named(
                "search",
                SearchTarget.to(index(engine), SearchProjectionTest::document)
                    .retryFor(Duration.ofMillis(200))));
    running.add(made);
    return made;
  }

  private long append(String stream, String type, String json) {
    return holdfast
        .eventLog()
        .append(Append.to(stream, ExpectedVersion.any(), EventData.json(type, json)))
        .position();
  }

  /** Places, changes and deletes; some of them are undone by a rollback. */
  private long change(Random random, int times) {
    long last = 0;
    for (int i = 0; i < times; i++) {
      String stream = "o" + random.nextInt(9);
      if (random.nextInt(4) == 0) {
        last = append(stream, "deleted", "{}");
        expected.remove(stream);
      } else {
        String json = "{\"n\":" + random.nextInt(1_000) + "}";
        last = append(stream, "changed", json);
        expected.put(stream, stream + "=" + json);
      }
    }
    return last;
  }

  private void assertIndexIsAsTheLog() {
    assertThat(TestServers.search(name, "n"))
        .containsExactlyInAnyOrderElementsOf(expected.values());
  }

  @Test
  @Attacks({"events.recorded", "events.repeats", "events.deduplicated"})
  void isWhatTheStreamsHaveBecomeThoughConnectionsBreakAndProcessesTakeTurns() throws Exception {
    index(TestServers.engine()).create();
    Random random = new Random(3);
    long last = 0;
    try (TcpRelay network = TcpRelay.to("127.0.0.1", TestServers.SEARCH.port())) {
      SearchEngine remote = SearchEngine.at(URI.create("http://127.0.0.1:" + network.port()));
      run(remote);
      for (int i = 0; i < 6; i++) {
        last = change(random, 40);
        network.cut();
        last = change(random, 10);
        network.restore();
        if (i == 2) {
          run(remote);
          running.get(0).close();
        }
      }
      assertThat(running.get(1).awaitPublished("search", last, SOON)).isTrue();
    }
    assertIndexIsAsTheLog();
  }

  @Test
  @Attacks({"events.parked", "events.order"})
  void parksAStreamWhoseDocumentIsRefusedAndSendsItWhenItIsReplayed() throws Exception {
    index(TestServers.engine()).create();
    EventChannels channels = run(TestServers.engine());
    append("a", "changed", "{\"n\":1}");
    long bad = append("c", "changed", "{\"n\":\"many\"}");
    assertThat(channels.awaitPublished("search", bad, SOON)).isTrue();
    append("c", "changed", "{\"n\":6}");
    long last = append("a", "changed", "{\"n\":4}");
    assertThat(channels.awaitPublished("search", last, SOON)).isTrue();
    assertThat(channels.parked("search"))
        .singleElement()
        .satisfies(
            parked -> {
              assertThat(parked.key()).isEqualTo("c");
              assertThat(parked.position()).isEqualTo(bad);
              assertThat(parked.reason()).contains("mapper_parsing_exception");
            });
    assertThat(TestServers.search(name, "n"))
        .contains("a={\"n\":4}")
        .noneMatch(d -> d.startsWith("c="));

    // What is parked together is sent together now, and the last state can be written.
    assertThat(channels.replay("search", "c")).isTrue();
    Awaitility.await()
        .atMost(SOON)
        .until(() -> channels.parked("search").stream().noneMatch(p -> p.key().equals("c")));
    assertThat(channels.replay("search", "c")).isFalse();
    assertThat(TestServers.search(name, "n")).contains("c={\"n\":6}");
    last = append("c", "changed", "{\"n\":7}");
    assertThat(channels.awaitPublished("search", last, SOON)).isTrue();
    assertThat(TestServers.search(name, "n")).contains("c={\"n\":7}");
  }

  @Test
  void isRebuiltFromTheLogBesideTheOneThatIsSearched() throws Exception {
    SearchIndex index = index(TestServers.engine());
    index.create();
    EventChannels channels = run(TestServers.engine());
    long last = change(new Random(5), 60);
    assertThat(channels.awaitPublished("search", last, SOON)).isTrue();
    TestServers.ask(
        "PUT", "/" + name + "/_doc/drifted?version=999999&version_type=external", "{\"n\":0}");

    SearchIndex next = index.beginRebuild();
    EventChannels rebuild =
        EventChannels.start(
            holdfast,
            QUICK,
            EventChannel.named("rebuild", SearchTarget.to(next, SearchProjectionTest::document)));
    running.add(rebuild);
    last = change(new Random(6), 20);
    assertThat(rebuild.awaitPublished("rebuild", last, SOON)).isTrue();
    assertThat(channels.awaitPublished("search", last, SOON)).isTrue();
    index.switchToRebuilt();

    last = change(new Random(7), 20);
    assertThat(channels.awaitPublished("search", last, SOON)).isTrue();
    assertIndexIsAsTheLog();
  }

  /** The live channel has written an event to the former index alone when the alias is moved. */
  @Test
  void losesNothingWhereTheRebuiltOneIsBehindWhenItIsSwitchedTo() throws Exception {
    SearchIndex index = index(TestServers.engine());
    index.create();
    EventChannels channels = run(TestServers.engine());
    CountDownLatch isSwitched = new CountDownLatch(1);
    SearchIndex next = index.beginRebuild();
    EventChannels rebuild =
        EventChannels.start(
            holdfast,
            QUICK,
            EventChannel.named(
                "rebuild",
                SearchTarget.to(
                    next,
                    message -> {
                      if ("late".equals(message.key())) {
                        try {
                          isSwitched.await();
                        } catch (InterruptedException e) {
                          Thread.currentThread().interrupt();
                        }
                      }
                      return document(message);
                    })));
    running.add(rebuild);
    long last = change(new Random(6), 20);
    assertThat(rebuild.awaitPublished("rebuild", last, SOON)).isTrue();
    assertThat(channels.awaitPublished("search", last, SOON)).isTrue();
    last = append("late", "changed", "{\"n\":17}");
    expected.put("late", "late={\"n\":17}");
    assertThat(channels.awaitPublished("search", last, SOON)).isTrue();
    index.switchToRebuilt();
    isSwitched.countDown();

    assertThat(rebuild.awaitPublished("rebuild", last, SOON)).isTrue();
    assertIndexIsAsTheLog();
  }
}
