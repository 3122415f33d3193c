package dev.holdfast.cli.demo;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.HoldfastException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntSupplier;

/** Searches an index past whoever writes to it, and past their network. */
final class IndexReader implements Arrivals {
  /**
   * The engine forgets at once what it has deleted, and not after a minute, which no delay of this
   * demonstration lasts.
   */
  static final String DEFINITION =
      """
      {"settings": {"number_of_replicas": 0, "gc_deletes": "0s"},
       "mappings": {"properties": {
         "product": {"type": "keyword"}, "editor": {"type": "keyword"},
         "price": {"type": "long"}, "revision": {"type": "long"}}}}
      """;

  private static final Duration LONGEST = Duration.ofSeconds(30);

  /** More than there are products: all are found by one search. */
  private static final int MOST = 10_000;

  /** As those of a product are, with which they are compared. */
  private final ObjectMapper mapper =
      new ObjectMapper().enable(DeserializationFeature.USE_LONG_FOR_INTS);

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(LONGEST).build();
  private final URI engine;
  private final String name;
  private final IntSupplier late;

  /**
   * @param name of an index, or an alias
   * @param late how many requests came late to it
   */
  IndexReader(URI engine, String name, IntSupplier late) {
    this.engine = engine;
    this.name = name;
    int before = late.getAsInt();
    this.late = () -> late.getAsInt() - before;
  }

  /** Makes the index without anybody's help. */
  void create() {
    ask("PUT", "", DEFINITION);
  }

  /** How many documents were written or deleted since the engine was started. */
  @Override
  public int seen() {
    JsonNode indexing =
        ask("GET", "/_stats/indexing", "").path("_all").path("primaries").path("indexing");
    return indexing.path("index_total").asInt() + indexing.path("delete_total").asInt();
  }

  /** Whatever is due is said to be written by whoever writes it. */
  @Override
  public boolean isComplete(int orders) {
    return true;
  }

  /** A document does not say what orders have led to it. */
  @Override
  public List<String> orderIds() {
    return List.of();
  }

  @Override
  public Map<String, Long> firstSeenMicros() {
    return Map.of();
  }

  @Override
  public Optional<CheckoutVerdict> checkouts(Connection orders) {
    return Optional.empty();
  }

  @Override
  public Optional<IndexVerdict> index(Connection orders) throws SQLException {
    Map<String, JsonNode> documents = documents();
    return Optional.of(
        IndexVerdict.of(
            Catalogue.all(orders), documents, Catalogue.deleted(orders), late.getAsInt()));
  }

  /** All that is found, by its ids. */
  Map<String, JsonNode> documents() {
    ask("POST", "/_refresh", "");
    JsonNode answer =
        ask("POST", "/_search", "{\"size\": " + MOST + ", \"track_total_hits\": true}");
    JsonNode hits = answer.path("hits").path("hits");
    if (answer.path("timed_out").asBoolean(true)
        || answer.path("_shards").path("failed").asInt(1) != 0
        || answer.path("hits").path("total").path("value").asInt(-1) != hits.size()) {
      throw new HoldfastException(
          "The search engine has not searched all of the index %s, so nothing was counted."
              .formatted(name));
    }
    Map<String, JsonNode> documents = new HashMap<>();
    hits.forEach(hit -> documents.put(hit.path("_id").asText(), hit.path("_source")));
    return documents;
  }

  private JsonNode ask(String method, String path, String body) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(engine + "/" + name + path))
            .timeout(LONGEST)
            .header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(body))
            .build();
    try {
      HttpResponse<byte[]> answer = http.send(request, HttpResponse.BodyHandlers.ofByteArray());
      if (answer.statusCode() >= 300) {
        throw new HoldfastException(
            "The search engine has answered %s %s by %d, so nothing was counted."
                .formatted(method, request.uri().getPath(), answer.statusCode()));
      }
      return mapper.readTree(answer.body());
    } catch (IOException e) {
      throw new HoldfastException(
          "The search engine cannot be asked, so nothing was counted: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HoldfastException("Asking the search engine was interrupted.", e);
    }
  }

  @Override
  public void close() {
    // The index is there for whoever looks at it, until its server ends.
  }
}
