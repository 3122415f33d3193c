package dev.holdfast.examples.catalogue;

import dev.holdfast.Codec;
import dev.holdfast.eventlog.decider.Decisions;
import dev.holdfast.opensearch.Document;
import dev.holdfast.opensearch.SearchEngine;
import dev.holdfast.opensearch.SearchIndex;
import dev.holdfast.opensearch.SearchTarget;
import dev.holdfast.projection.EventChannel;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The index that the search page asks: a document for each product that is offered. */
final class ProductIndex {
  private static final String DEFINITION =
      """
      {"mappings": {"properties": {
        "name": {"type": "text"},
        "category": {"type": "keyword"},
        "cents": {"type": "long"}}}}
      """;

  private ProductIndex() {}

  static SearchIndex of(SearchEngine engine, String name) {
    return SearchIndex.of(engine, name).definition(DEFINITION);
  }

  /** Whatever has happened to a product, its document is what it has become. */
  static EventChannel channel(
      SearchIndex index,
      Decisions<Catalogue.Command, Catalogue.Event, Catalogue.Product> catalogue,
      Codec codec) {
    SearchTarget target =
        SearchTarget.to(
            index,
            message -> {
              String stream = Objects.requireNonNull(message.key());
              Catalogue.Product product = catalogue.state(stream).state();
              return Optional.of(
                  product.isOffered()
                      ? Document.of(
                          stream,
                          codec.write(
                              Map.of(
                                  "name", product.name(),
                                  "category", product.category(),
                                  "cents", product.cents())))
                      : Document.deleted(stream));
            });
    return EventChannel.named("product-index", target)
        .only(event -> event.stream().startsWith(Catalogue.STREAM));
  }
}
