package dev.holdfast.opensearch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.reconcile.HashRange;
import dev.holdfast.reconcile.Hashes;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a document is compared by, in fields of its own: the engine sums nothing but stored fields.
 * It sums in doubles, which have whole numbers exactly below 2<sup>53</sup> alone. So a fingerprint
 * is summed in four parts of 16 bits, exact for 2<sup>37</sup> documents, and a point has 48 bits.
 */
final class Compared {
  static final String POINT = Tombstone.PREFIX + "point";
  static final String REVISION = Tombstone.PREFIX + "revision";
  static final int PARTS = 4;
  private static final int BITS = 16;
  private static final String PART = Tombstone.PREFIX + "part_";

  private Compared() {}

  static String part(int number) {
    return PART + number;
  }

  static String revision(Document document, long version) {
    String revision = document.revision();
    return revision == null ? Long.toString(version) : revision;
  }

  static ObjectNode fields(Document document, long version) {
    String revision = revision(document, version);
    long fingerprint = Hashes.fingerprint(document.id(), revision);
    ObjectNode fields = Json.object();
    fields.put(POINT, Hashes.point(document.id())).put(REVISION, revision);
    for (int part = 0; part < PARTS; part++) {
      fields.put(part(part), (fingerprint >>> (part * BITS)) & 0xffff);
    }
    return fields;
  }

  /** Of the sums of the parts. */
  static long sum(double[] sums) {
    long sum = 0;
    for (int part = 0; part < PARTS; part++) {
      sum += (long) sums[part] << (part * BITS);
    }
    return sum;
  }

  static void addTo(ObjectNode mappings) {
    ObjectNode properties = mappings.withObjectProperty("properties");
    properties.putObject(POINT).put("type", "long");
    properties
        .putObject(REVISION)
        .put("type", "keyword")
        .put("index", false)
        .put("doc_values", false);
    for (int part = 0; part < PARTS; part++) {
      properties.putObject(part(part)).put("type", "integer").put("index", false);
    }
  }

  /** Documents whose points are in one of the ranges, and not below a point. */
  static ObjectNode within(List<HashRange> ranges, @Nullable Long notBelow) {
    ObjectNode bool = Json.object();
    ArrayNode filter = bool.putObject("bool").putArray("filter");
    ArrayNode any = filter.addObject().putObject("bool").putArray("should");
    for (HashRange range : ranges) {
      any.addObject()
          .putObject("range")
          .putObject(POINT)
          .put("gte", range.from())
          .put("lt", range.to());
    }
    if (notBelow != null) {
      filter.addObject().putObject("range").putObject(POINT).put("gte", notBelow);
    }
    return bool;
  }

  /** Documents without the fields, which no comparison would see. */
  static ObjectNode without() {
    ObjectNode bool = Json.object();
    bool.putObject("bool").putObject("must_not").putObject("exists").put("field", POINT);
    return bool;
  }

  /** What a document was compared by when it was written; {@code null} where it is none. */
  static @Nullable String revision(JsonNode source) {
    return source.has(Tombstone.DELETED_AT) ? null : source.path(REVISION).asText();
  }
}
