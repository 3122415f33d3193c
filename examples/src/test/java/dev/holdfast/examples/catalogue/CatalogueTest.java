package dev.holdfast.examples.catalogue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Codec;
import dev.holdfast.Holdfast;
import dev.holdfast.devservices.OpenSearchServer;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.eventlog.EventTypes;
import dev.holdfast.eventlog.decider.Decisions;
import dev.holdfast.eventlog.decider.Specification;
import dev.holdfast.examples.catalogue.Catalogue.NotPossible;
import dev.holdfast.examples.catalogue.Catalogue.Offer;
import dev.holdfast.examples.catalogue.Catalogue.Offered;
import dev.holdfast.examples.catalogue.Catalogue.Reprice;
import dev.holdfast.examples.catalogue.Catalogue.Repriced;
import dev.holdfast.examples.catalogue.Catalogue.Withdraw;
import dev.holdfast.examples.catalogue.Catalogue.Withdrawn;
import dev.holdfast.examples.catalogue.SearchPage.Query;
import dev.holdfast.jackson.JacksonCodec;
import dev.holdfast.opensearch.SearchEngine;
import dev.holdfast.opensearch.SearchIndex;
import dev.holdfast.projection.EventChannels;
import dev.holdfast.projection.ProjectionSettings;
import dev.holdfast.projection.Projections;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The catalogue, its view and its search page, on real servers. */
final class CatalogueTest {
  private static final Duration SOON = Duration.ofSeconds(30);

  @Test
  void decidesAsItIsSpecified() {
    Offered lamp = new Offered("Lamp", "light", 1_000);
    Specification.of(Catalogue.DECIDER).when(new Offer("Lamp", "light", 1_000)).then(lamp);
    Specification.of(Catalogue.DECIDER).given(lamp).when(new Reprice(900)).then(new Repriced(900));
    Specification.of(Catalogue.DECIDER).given(lamp).when(new Reprice(1_000)).then();
    Specification.of(Catalogue.DECIDER).given(lamp).when(new Withdraw()).then(new Withdrawn());
    Specification.of(Catalogue.DECIDER)
        .given(lamp, new Withdrawn())
        .when(new Reprice(1))
        .thenRefused(NotPossible.class);
  }

  @Test
  void whatIsDecidedIsListedAndFound() throws Exception {
    PostgresServer postgres = PostgresServer.start();
    OpenSearchServer opensearch = OpenSearchServer.start();
    try (HikariDataSource pool = new HikariDataSource()) {
      pool.setJdbcUrl(postgres.jdbcUrl());
      try (Connection connection = pool.getConnection();
          Statement statement = connection.createStatement()) {
        statement.execute(PriceList.TABLE);
      }
      try (Holdfast holdfast = Holdfast.on(pool).start()) {
        Codec codec = new JacksonCodec();
        EventTypes<Catalogue.Event> types = Catalogue.types(codec);
        var catalogue = Catalogue.on(holdfast, types);
        SearchIndex index = ProductIndex.of(SearchEngine.at(opensearch.uri()), "products");
        index.create();
        try (Projections views =
                Projections.start(
                    holdfast, ProjectionSettings.DEFAULT, PriceList.projection(types));
            EventChannels channels =
                EventChannels.start(
                    holdfast,
                    ProjectionSettings.DEFAULT,
                    ProductIndex.channel(index, catalogue, codec))) {
          long last = sell(catalogue);
          assertThat(views.awaitApplied("price-list", last, SOON)).isTrue();
          assertThat(channels.awaitPublished("product-index", last, SOON)).isTrue();
        }
      }
      assertThat(PriceList.cheapest(pool, "light", 5))
          .containsExactly("Reading lamp: 1900", "Lantern: 4500");
    }
    refresh(opensearch);
    SearchPage page = new SearchPage(opensearch.uri(), "products");
    assertThat(page.find(new Query("lamp", null, null, 0)).names()).containsExactly("Reading lamp");
    assertThat(page.find(new Query("laptern", null, null, 0)).names()).containsExactly("Lantern");
    SearchPage.Page all = page.find(new Query("", null, null, 0));
    assertThat(all.names()).containsExactly("Reading lamp", "Lantern", "Oak table");
    assertThat(all.total()).isEqualTo(3);
    assertThat(all.categories()).isEqualTo(Map.of("light", 2L, "furniture", 1L));
    assertThat(page.find(new Query("", "light", 2_000L, 0)).names())
        .containsExactly("Reading lamp");
    assertThat(page.find(new Query("", null, null, 1)).names()).isEmpty();
  }

  /** Four products, of which one is withdrawn, and one becomes cheaper. */
  private static long sell(
      Decisions<Catalogue.Command, Catalogue.Event, Catalogue.Product> catalogue) {
    offer(catalogue, "1", "Reading lamp", "light", 2_500);
    offer(catalogue, "2", "Lantern", "light", 4_500);
    offer(catalogue, "3", "Oak table", "furniture", 39_900);
    offer(catalogue, "4", "Desk lamp", "light", 1_500);
    assertThatThrownBy(() -> offer(catalogue, "4", "Desk lamp", "light", 1_500))
        .isInstanceOf(NotPossible.class);
    catalogue.handle(Catalogue.STREAM + "1", UUID.randomUUID(), new Reprice(1_900));
    return catalogue.handle(Catalogue.STREAM + "4", UUID.randomUUID(), new Withdraw()).position();
  }

  private static void offer(
      Decisions<Catalogue.Command, Catalogue.Event, Catalogue.Product> catalogue,
      String product,
      String name,
      String category,
      long cents) {
    catalogue.handle(
        Catalogue.STREAM + product, UUID.randomUUID(), new Offer(name, category, cents));
  }

  /** So that what was written is searched at once, which takes a second otherwise. */
  private static void refresh(OpenSearchServer opensearch)
      throws IOException, InterruptedException {
    HttpResponse<Void> answer =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(opensearch.uri().resolve("/products/_refresh"))
                    .POST(HttpRequest.BodyPublishers.noBody())
                    .build(),
                HttpResponse.BodyHandlers.discarding());
    assertThat(answer.statusCode()).isEqualTo(200);
  }
}
