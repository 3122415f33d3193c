package dev.holdfast.examples.catalogue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the shop's search page asks. It knows the index's alias alone, which has no deleted products
 * in it, and stays the same when the index is rebuilt.
 */
final class SearchPage {
  private static final int PER_PAGE = 10;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final URI uri;
  private final HttpClient client =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

  SearchPage(URI engine, String index) {
    this.uri = engine.resolve("/" + index + "/_search");
  }

  /**
   * What was typed and chosen.
   *
   * @param text words of the name; empty for all products
   * @param category null for all
   * @param centsAtMost null for any price
   * @param page from 0
   */
  record Query(String text, @Nullable String category, @Nullable Long centsAtMost, int page) {}

  /**
   * A page.
   *
   * @param names what was found, the best first, and the cheapest of those that are equally good
   * @param total how many there are on all pages
   * @param categories how many of these are in each category
   */
  record Page(List<String> names, long total, Map<String, Long> categories) {}

  Page find(Query query) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(uri)
            .timeout(Duration.ofSeconds(10))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body(query).toString()))
            .build();
    HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() != 200) {
      throw new IOException("the search was answered with " + response.statusCode());
    }
    return page(JSON.readTree(response.body()));
  }

  private static ObjectNode body(Query query) {
    ObjectNode body = JSON.createObjectNode();
    body.put("size", PER_PAGE).put("from", query.page() * PER_PAGE).put("track_total_hits", true);
    ObjectNode bool = body.putObject("query").putObject("bool");
    if (!query.text().isBlank()) {
      bool.putObject("must")
          .putObject("match")
          .putObject("name")
          .put("query", query.text())
          .put("operator", "and")
          .put("fuzziness", "AUTO");
    }
    ArrayNode filter = bool.putArray("filter");
    if (query.category() != null) {
      filter.addObject().putObject("term").put("category", query.category());
    }
    if (query.centsAtMost() != null) {
      filter.addObject().putObject("range").putObject("cents").put("lte", query.centsAtMost());
    }
    body.putArray("sort").add("_score").addObject().put("cents", "asc");
    body.putObject("aggs").putObject("categories").putObject("terms").put("field", "category");
    return body;
  }

  private static Page page(JsonNode answer) {
    List<String> names = new ArrayList<>();
    for (JsonNode hit : answer.path("hits").path("hits")) {
      names.add(hit.path("_source").path("name").asText());
    }
    Map<String, Long> categories = new LinkedHashMap<>();
    for (JsonNode bucket : answer.path("aggregations").path("categories").path("buckets")) {
      categories.put(bucket.path("key").asText(), bucket.path("doc_count").asLong());
    }
    return new Page(names, answer.path("hits").path("total").path("value").asLong(), categories);
  }
}
