package dev.holdfast.opensearch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.time.Instant;

/**
 * What is in the place of a document that was deleted: the engine forgets the version of a delete
 * after a minute, and an older state that arrives then would bring the document back.
 */
final class Tombstone {
  static final String PREFIX = "holdfast_";

  /** When it was written; who has this field is no document. */
  static final String DELETED_AT = PREFIX + "deleted_at";

  /** Its version, which the engine does not let be searched for. */
  static final String VERSION = PREFIX + "version";

  private Tombstone() {}

  static ObjectNode of(long version, Instant now) {
    return Json.object().put(DELETED_AT, now.toString()).put(VERSION, version);
  }

  /** What is a document. */
  static ObjectNode filter() {
    ObjectNode filter = Json.object();
    filter.putObject("bool").putObject("must_not").putObject("exists").put("field", DELETED_AT);
    return filter;
  }

  /** Adds the fields to an index's mappings. */
  static void addTo(ObjectNode mappings) {
    ObjectNode properties = mappings.withObjectProperty("properties");
    properties.putObject(DELETED_AT).put("type", "date");
    properties.putObject(VERSION).put("type", "long");
  }

  /** Searches for those of a version below, and written before a time, with what deletes them. */
  static ObjectNode olderThan(long below, Instant time) {
    ObjectNode query = Json.object().put("size", Bulk.DOCUMENTS_AT_MOST);
    query.put("seq_no_primary_term", true).put("_source", false);
    var filters = query.putObject("query").putObject("bool").putArray("filter");
    filters.addObject().putObject("range").putObject(DELETED_AT).put("lt", time.toString());
    filters.addObject().putObject("range").putObject(VERSION).put("lt", below);
    return query;
  }

  /** Deletes what was found, each as long as nobody has written it again. */
  static byte[] deletion(JsonNode hits) {
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    for (JsonNode hit : hits) {
      ObjectNode order = Json.object();
      order
          .putObject("delete")
          .put("_id", hit.path("_id").asText())
          .put("if_seq_no", hit.path("_seq_no").asLong())
          .put("if_primary_term", hit.path("_primary_term").asLong());
      lines.writeBytes(Json.bytes(order));
      lines.write('\n');
    }
    return lines.toByteArray();
  }
}
