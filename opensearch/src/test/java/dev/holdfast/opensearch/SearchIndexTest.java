package dev.holdfast.opensearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How an index is made, rebuilt and tended. */
final class SearchIndexTest {
  private static final Instant NOW = Instant.parse("2026-11-01T12:00:00Z");

  private Instant now = NOW;

  private final SearchIndex index =
      SearchIndex.of(TestServers.engine(), TestServers.unique("things"))
          .definition("{\"mappings\": {\"properties\": {\"n\": {\"type\": \"long\"}}}}")
          .tombstonesKept(Duration.ofHours(1))
          .clock(() -> now);

  private void write(String to, Document document, long version) throws Exception {
    Bulk bulk = new Bulk(to, 10);
    bulk.add(document, version, now);
    assertThat(bulk.send(index.engine())).containsExactly(new Bulk.Written.Done());
  }

  private int stored() {
    String physical = index.physical().orElseThrow();
    TestServers.ask("POST", "/" + physical + "/_refresh", null);
    return TestServers.get("/" + physical + "/_count").path("count").asInt();
  }

  @Test
  void keepsATombstoneUntilNothingOlderCanCome() throws Exception {
    index.create();
    write(index.name(), Document.of("a", "{\"n\": 1}"), 1);
    write(index.name(), Document.deleted("a"), 5);
    write(index.name(), Document.deleted("b"), 6);
    index.refresh();
    now = NOW.plus(Duration.ofMinutes(59));
    assertThat(index.purgeTombstones(100)).isZero();
    now = NOW.plus(Duration.ofMinutes(61));
    assertThat(index.purgeTombstones(6)).isZero();
    assertThat(index.purgeTombstones(7)).isEqualTo(1);
    assertThat(stored()).isEqualTo(1);
    // One that is there again is no tombstone.
    write(index.name(), Document.of("b", "{\"n\": 7}"), 7);
    index.refresh();
    assertThat(index.purgeTombstones(100)).isZero();
    assertThat(TestServers.search(index.name(), "n")).containsExactly("b={\"n\":7}");
  }

  @Test
  void takesTheNextVersionOfADocumentWhoseTombstoneWasRemovedJustNow() throws Exception {
    index.create();
    write(index.name(), Document.deleted("a"), 5);
    index.refresh();
    now = NOW.plus(Duration.ofMinutes(61));
    index.purgeTombstones(6);
    write(index.name(), Document.of("a", "{\"n\": 6}"), 6);
    assertThat(TestServers.search(index.name(), "n")).containsExactly("a={\"n\":6}");
  }

  @Test
  void isRebuiltBesideTheOneThatIsSearchedAndSwitchedToAtOnce() throws Exception {
    index.create();
    write(index.name(), Document.of("a", "{\"n\": 1}"), 1);
    String first = index.physical().orElseThrow();
    SearchIndex unfinished = index.beginRebuild();
    write(unfinished.name(), Document.of("left", "{\"n\": 0}"), 1);

    SearchIndex next = index.beginRebuild();

    write(next.name(), Document.of("a", "{\"n\": 2}"), 2);
    write(next.name(), Document.of("b", "{\"n\": 3}"), 3);
    assertThat(TestServers.search(index.name(), "n")).containsExactly("a={\"n\":1}");
    assertThat(TestServers.search(next.name(), "n")).containsExactly("a={\"n\":2}", "b={\"n\":3}");
    String second = next.physical().orElseThrow();
    assertThat(second).isNotEqualTo(first);
    assertThat(index.switchToRebuilt()).isEqualTo(first);
    assertThat(TestServers.search(index.name(), "n")).containsExactly("a={\"n\":2}", "b={\"n\":3}");
    assertThat(index.physical()).contains(second);
    // Whoever has rebuilt it may have something to write yet.
    assertThat(next.physical()).contains(second);
    assertThatThrownBy(index::switchToRebuilt)
        .isInstanceOf(SearchEngineFailure.class)
        .hasMessageContaining("Nothing was switched");
    write(index.name(), Document.deleted("b"), 4);
    assertThat(TestServers.search(index.name(), "n")).containsExactly("a={\"n\":2}");

    String third = index.beginRebuild().physical().orElseThrow();
    assertThat(third).isNotEqualTo(second);
    assertThat(index.physical()).contains(second);
    assertThat(index.switchToRebuilt()).isEqualTo(second);
    assertThat(index.physical()).contains(third);
  }

  @Test
  void saysWhatIsWrongWithItAndWhereItCannotBeMade() {
    assertThatThrownBy(() -> SearchIndex.of(TestServers.engine(), "Orders"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("Orders");
    assertThatThrownBy(() -> index.definition("[]"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("no JSON object");
    assertThatThrownBy(() -> SearchEngine.at(URI.create("http://me:secret@localhost:9200")))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("header")
        .hasMessageNotContaining("secret");
    assertThatThrownBy(
            () ->
                index
                    .definition("{\"mappings\": {\"properties\": {\"n\": {\"type\": \"wrong\"}}}}")
                    .create())
        .isInstanceOf(SearchEngineFailure.class)
        .hasMessageContaining("answered 400")
        .hasMessageContaining("wrong");
    SearchEngine nowhere = SearchEngine.at(URI.create("http://127.0.0.1:1"));
    assertThatThrownBy(() -> SearchIndex.of(nowhere, "orders").create())
        .isInstanceOf(SearchEngineFailure.class)
        .hasMessageContaining("no answer");
    assertThatThrownBy(index::beginRebuild)
        .isInstanceOf(SearchEngineFailure.class)
        .hasMessageContaining("create()");
    assertThat(index.purgeTombstones(1)).isZero();
  }

  @Test
  void doesNotTakeAnIndexForItsOwnThatHasLostItsAlias() {
    TestServers.ask("PUT", "/" + index.name() + ".1", "{}");
    assertThatThrownBy(index::create)
        .isInstanceOf(SearchEngineFailure.class)
        .hasMessageContaining("without the alias");
  }

  @Test
  void aDocumentThatCannotBeSentIsNotAdded() {
    Bulk bulk = new Bulk("any", 10);
    for (Document document :
        List.of(Document.of("", "{}"), Document.of("a", "1"), Document.of("a", "{} {}"))) {
      assertThatThrownBy(() -> bulk.add(document, 1, NOW)).isInstanceOf(IOException.class);
    }
    assertThatThrownBy(() -> bulk.add(Document.of("a", "{}"), 0, NOW))
        .isInstanceOf(IOException.class);
    assertThat(bulk.size()).isZero();
  }
}
