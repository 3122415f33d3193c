package dev.holdfast.examples.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;

final class OrderApplicationTest {
  @Test
  void theWarehouseHearsOfOrdersThatWerePlacedAndOfNoOthers() throws Exception {
    try (Servers servers = new Servers();
        ConfigurableApplicationContext application =
            SpringApplication.run(
                OrderApplication.class,
                Stream.concat(servers.properties().stream(), Stream.of("server.port=0"))
                    .map(property -> "--" + property)
                    .toArray(String[]::new))) {
      int port =
          application.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
      Warehouse warehouse = application.getBean(Warehouse.class);

      assertThat(post(port, "{\"id\":\"a-1\",\"cents\":1999}")).isEqualTo(201);
      // Rolls back on the primary key.
      assertThat(post(port, "{\"id\":\"a-1\",\"cents\":1}")).isEqualTo(409);
      assertThat(post(port, "{\"id\":\"a-2\",\"cents\":500}")).isEqualTo(201);
      assertThat(post(port, "{\"id\":\"\",\"cents\":500}")).isEqualTo(400);
      assertThat(post(port, "{\"cents\":500}")).isEqualTo(400);

      await().atMost(Duration.ofSeconds(60)).until(() -> warehouse.heard().size() == 2);
      assertThat(warehouse.heard())
          .containsExactlyInAnyOrder(
              "{\"id\":\"a-1\",\"cents\":1999}", "{\"id\":\"a-2\",\"cents\":500}");
      assertThat(
              application
                  .getBean(JdbcClient.class)
                  .sql("select count(*) from shop_order")
                  .query(Long.class)
                  .single())
          .isEqualTo(2);
      assertThat(get(port, "/actuator/health/holdfast"))
          .contains("\"status\":\"UP\"")
          .contains("\"phase\":\"LEADING\"");
    }
  }

  private static int post(int port, String order) throws IOException, InterruptedException {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/orders"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(order))
                .build(),
            HttpResponse.BodyHandlers.ofString())
        .statusCode();
  }

  private static String get(int port, String path) throws IOException, InterruptedException {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build(),
            HttpResponse.BodyHandlers.ofString())
        .body();
  }
}
