package dev.holdfast.opensearch;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.crashtest.Expect;
import dev.holdfast.crashtest.Expect.Counted;
import dev.holdfast.outbox.store.OutboxRecord;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** An index of the messages themselves, for suites that count them: each is a document. */
final class Messages {
  static final String TOPIC = "orders";
  static final String REFUSED = "refused";

  private static final String DEFINITION =
      """
      {"settings": {"number_of_replicas": 0},
       "mappings": {"dynamic": "strict", "properties": {
         "key": {"type": "keyword"}, "value": {"type": "keyword"},
         "position": {"type": "long"}}}}
      """;

  private final SearchIndex index;

  Messages() {
    this.index =
        SearchIndex.of(TestServers.engine(), TestServers.unique("messages")).definition(DEFINITION);
    index.create();
  }

  SearchIndex index(SearchEngine engine) {
    return SearchIndex.of(engine, index.name()).definition(DEFINITION);
  }

  static Optional<Document> document(OutboxRecord message) {
    String field = message.topic().equals(REFUSED) ? "nobody_knows" : "value";
    String value = new String(Objects.requireNonNull(message.payload()), UTF_8);
    return Optional.of(
        Document.of(
            message.id().toString(),
            Json.object()
                .put("key", message.key())
                .put(field, value)
                .put("position", message.position())
                .toString()));
  }

  List<String> of(String key) {
    index.refresh();
    return TestServers.get(
            "/%s/_search?size=100&sort=position&q=key:%%22%s%%22".formatted(index.name(), key))
        .path("hits")
        .path("hits")
        .findValuesAsText("value");
  }

  Counted delivered() {
    return Expect.effects("search", "document", this::of);
  }
}
