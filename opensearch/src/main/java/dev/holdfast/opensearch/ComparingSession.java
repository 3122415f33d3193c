package dev.holdfast.opensearch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.reconcile.Entry;
import dev.holdfast.reconcile.HashRange;
import dev.holdfast.reconcile.SideSession;
import dev.holdfast.reconcile.Summary;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Looks at one index by its alias, which hides tombstones. */
final class ComparingSession implements SideSession {
  /** Each makes up to 64 buckets; an engine makes 65,535 at once, unless told otherwise. */
  private static final int RANGES_AT_ONCE = 256;

  private static final int HITS_AT_ONCE = 2_000;

  private final SearchIndex index;

  private ComparingSession(SearchIndex index) {
    this.index = index;
  }

  static ComparingSession open(SearchIndex index) {
    if (index.physical().isEmpty()) {
      throw new SearchEngineFailure(
          "There is no alias %s at %s, so nothing can be compared. Make the index again and rebuild it."
              .formatted(index.name(), index.engine()),
          404);
    }
    index.refresh();
    ObjectNode query = Json.object().put("size", 0).put("track_total_hits", true);
    query.set("query", Compared.without());
    ComparingSession session = new ComparingSession(index);
    long without =
        session.search(query, "hits.total").path("hits").path("total").path("value").asLong();
    if (without > 0) {
      throw new SearchEngineFailure(
          "%,d documents of the %s do not say what they are compared by, and would seem to be missing. Nothing was compared. Rebuild it with comparable()."
              .formatted(without, index),
          200);
    }
    return session;
  }

  @Override
  public Instant now() {
    return index.clock().instant();
  }

  @Override
  public List<Summary> summarize(
      List<HashRange> ranges, int parts, @Nullable Instant changedBefore) {
    index.refresh();
    List<Summary> result = new ArrayList<>(ranges.size() * parts);
    int atOnce = Math.max(1, RANGES_AT_ONCE * 64 / parts);
    for (int from = 0; from < ranges.size(); from += atOnce) {
      result.addAll(sums(ranges.subList(from, Math.min(ranges.size(), from + atOnce)), parts));
    }
    return result;
  }

  private List<Summary> sums(List<HashRange> ranges, int parts) {
    long width = ranges.get(0).width() / parts;
    ObjectNode query = Json.object().put("size", 0);
    query.set("query", Compared.within(ranges, null));
    ObjectNode histogram = query.putObject("aggs").putObject("parts");
    histogram
        .putObject("histogram")
        .put("field", Compared.POINT)
        .put("interval", width)
        .put("min_doc_count", 1);
    ObjectNode sums = histogram.putObject("aggs");
    for (int part = 0; part < Compared.PARTS; part++) {
      sums.putObject(Compared.part(part)).putObject("sum").put("field", Compared.part(part));
    }
    Map<Long, Summary> found = new HashMap<>();
    for (JsonNode bucket :
        search(
                query,
                "aggregations.parts.buckets.key,aggregations.parts.buckets.doc_count,aggregations.parts.buckets.*.value")
            .path("aggregations")
            .path("parts")
            .path("buckets")) {
      double[] each = new double[Compared.PARTS];
      for (int part = 0; part < each.length; part++) {
        each[part] = bucket.path(Compared.part(part)).path("value").asDouble();
      }
      found.put(
          (long) bucket.path("key").asDouble(),
          new Summary(bucket.path("doc_count").asLong(), Compared.sum(each)));
    }
    List<Summary> result = new ArrayList<>(ranges.size() * parts);
    for (HashRange range : ranges) {
      for (int part = 0; part < parts; part++) {
        result.add(found.getOrDefault(range.from() + part * width, Summary.NONE));
      }
    }
    return result;
  }

  @Override
  public List<Entry> list(List<HashRange> ranges, @Nullable Instant changedBefore, int atMost) {
    index.refresh();
    List<Entry> result = new ArrayList<>();
    for (int from = 0; from < ranges.size() && result.size() < atMost; from += RANGES_AT_ONCE) {
      page(ranges.subList(from, Math.min(ranges.size(), from + RANGES_AT_ONCE)), atMost, result);
    }
    return result;
  }

  /** In the order of the points; a page begins with the last point of the one before. */
  private void page(List<HashRange> ranges, int atMost, List<Entry> result) {
    Set<String> seen = new HashSet<>();
    Long notBelow = null;
    while (true) {
      ObjectNode query = Json.object().put("size", HITS_AT_ONCE);
      query.set("query", Compared.within(ranges, notBelow));
      query.putArray("sort").add(Compared.POINT);
      query.putArray("_source").add(Compared.REVISION);
      JsonNode hits =
          search(query, "hits.hits._id,hits.hits._source,hits.hits.sort").path("hits").path("hits");
      boolean isNew = false;
      for (JsonNode hit : hits) {
        String id = hit.path("_id").asText();
        if (seen.add(id)) {
          if (result.size() == atMost) {
            return;
          }
          isNew = true;
          result.add(new Entry(id, hit.path("_source").path(Compared.REVISION).asText(), null));
        }
      }
      if (hits.size() < HITS_AT_ONCE) {
        return;
      }
      notBelow = hits.get(hits.size() - 1).path("sort").get(0).asLong();
      if (!isNew) {
        throw new SearchEngineFailure(
            "%,d documents of the %s and more have one hash, so they cannot be listed. Nothing was changed."
                .formatted(HITS_AT_ONCE, index),
            200);
      }
    }
  }

  @Override
  public List<Entry> read(List<String> keys) {
    List<Entry> result = new ArrayList<>();
    for (Stored stored : stored(index, keys)) {
      String revision = stored.revision();
      if (revision != null) {
        result.add(new Entry(stored.id(), revision, null));
      }
    }
    return result;
  }

  /**
   * What is in a document's place.
   *
   * @param version 0 when nothing is there
   * @param revision {@code null} for a tombstone, or when nothing is there
   */
  record Stored(String id, long version, @Nullable String revision) {}

  /** As it was written last, whether searches see it yet or not. */
  static List<Stored> stored(SearchIndex index, List<String> ids) {
    List<String> valid =
        ids.stream()
            .filter(
                id ->
                    !id.isEmpty()
                        && id.getBytes(java.nio.charset.StandardCharsets.UTF_8).length <= 512)
            .toList();
    if (valid.isEmpty()) {
      return List.of();
    }
    ObjectNode body = Json.object();
    valid.forEach(body.putArray("ids")::add);
    SearchEngine.Answer answer =
        index.ask(
            "POST",
            "/%s/_mget?_source_includes=%s,%s"
                .formatted(index.name(), Compared.REVISION, Tombstone.DELETED_AT),
            body);
    index.require(answer, "read documents of " + index.name());
    List<Stored> result = new ArrayList<>();
    for (JsonNode document : index.parsed(answer).path("docs")) {
      if (document.has("error")) {
        throw unreadable(index, document.path("error").path("type").asText());
      }
      String id = document.path("_id").asText();
      result.add(
          document.path("found").asBoolean()
              ? new Stored(
                  id,
                  document.path("_version").asLong(),
                  Compared.revision(document.path("_source")))
              : new Stored(id, 0, null));
    }
    return result;
  }

  private static SearchEngineFailure unreadable(SearchIndex index, String type) {
    return type.equals("index_not_found_exception")
        ? new SearchEngineFailure(
            "There is no alias %s at %s any more. Nothing was written since. Make the index again and rebuild it."
                .formatted(index.name(), index.engine()),
            404)
        : new SearchEngineFailure(
            "A document of the %s could not be read (%s). Nothing was written since."
                .formatted(index, type),
            503);
  }

  /** Of all shards, or not at all: what a shard left out would seem to be missing. */
  private JsonNode search(ObjectNode query, String fields) {
    SearchEngine.Answer answer =
        index.ask(
            "POST",
            "/%s/_search?allow_partial_search_results=false&filter_path=timed_out,_shards.failed,%s"
                .formatted(index.name(), fields),
            query);
    index.require(answer, "look at the " + index);
    JsonNode parsed = index.parsed(answer);
    if (parsed.path("timed_out").asBoolean() || parsed.path("_shards").path("failed").asInt() > 0) {
      throw new SearchEngineFailure(
          "Not all of the %s could be searched. Nothing was changed since.".formatted(index),
          answer.status());
    }
    return parsed;
  }

  @Override
  public void close() {
    // Nothing is kept open.
  }
}
