package dev.holdfast.cli.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * How an index compares with the catalogue, document by document, when nothing changes any more.
 *
 * @param products that are on sale
 * @param deleted products that are not, and were changed
 * @param late requests that came to the engine when nobody waited for them any more
 * @param missing products without a document
 * @param extra documents without a product
 * @param stale documents that say something else than the product does, usually what it was before
 * @param differences each of them in a line, for people
 */
record IndexVerdict(
    int products,
    int deleted,
    int late,
    int missing,
    int extra,
    int stale,
    List<String> differences) {

  /**
   * @param products by their ids, as the database has them
   * @param documents by their ids, as whoever searches finds them
   */
  static IndexVerdict of(
      Map<String, Catalogue.Product> products,
      Map<String, JsonNode> documents,
      int deleted,
      int late) {
    int missing = 0;
    int extra = 0;
    int stale = 0;
    List<String> differences = new ArrayList<>();
    TreeSet<String> ids = new TreeSet<>(products.keySet());
    ids.addAll(documents.keySet());
    for (String id : ids) {
      Catalogue.Product product = products.get(id);
      JsonNode document = documents.get(id);
      if (product == null) {
        extra++;
        differences.add("extra: %s is there no more, and found as %s".formatted(id, document));
      } else if (document == null) {
        missing++;
        differences.add("missing: %s is not found".formatted(product.document()));
      } else if (!document.equals(product.document())) {
        stale++;
        differences.add("stale: %s is found as %s".formatted(product.document(), document));
      }
    }
    return new IndexVerdict(
        products.size(), deleted, late, missing, extra, stale, List.copyOf(differences));
  }

  /** In the terms of all strategies; an index has one document of an id at most. */
  Verdict verdict(int operations) {
    return new Verdict(operations, missing, extra, 0, stale);
  }
}
