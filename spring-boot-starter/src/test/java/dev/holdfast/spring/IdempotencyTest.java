package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Message;
import dev.holdfast.http.IdempotencyKeyFilter;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Requests with an Idempotency-Key in Spring MVC: one commit with what the controller does. */
final class IdempotencyTest {
  private static final String SCHEMA = TestServers.unique("idempotency_");
  private static @Nullable ConfigurableApplicationContext application;

  private final HttpClient client = HttpClient.newHttpClient();
  private final JdbcTemplate jdbc = Objects.requireNonNull(application).getBean(JdbcTemplate.class);

  record Order(String id, int cents) {}

  @ResponseStatus(HttpStatus.CONFLICT)
  static final class SoldOut extends RuntimeException {
    private static final long serialVersionUID = 1L;

    SoldOut() {
      super("sold out");
    }
  }

  static class Orders {
    private final JdbcTemplate jdbc;
    private final TransactionalOutbox outbox;

    Orders(JdbcTemplate jdbc, TransactionalOutbox outbox) {
      this.jdbc = jdbc;
      this.outbox = outbox;
    }

    @Transactional
    public void place(Order order) {
      jdbc.update("insert into " + SCHEMA + ".placed values (?, ?)", order.id(), order.cents());
      outbox.publish(Message.of("orders.placed", order.id(), "{}"));
      if (order.cents() == 13) {
        throw new SoldOut();
      }
    }
  }

  @RestController
  static class Web {
    private final Orders orders;
    private final JdbcTemplate jdbc;

    Web(Orders orders, JdbcTemplate jdbc) {
      this.orders = orders;
      this.jdbc = jdbc;
    }

    @PostMapping("/orders")
    ResponseEntity<Order> place(@RequestBody Order order, HttpServletRequest request)
        throws SQLException {
      orders.place(order);
      IdempotencyKeyFilter.transaction(request)
          .update("insert into " + SCHEMA + ".placed values (?, 0)", order.id() + " by hand");
      return ResponseEntity.status(order.cents() == 500 ? 500 : 201)
          .header("Location", "/orders/" + order.id())
          .header("Operation", IdempotencyKeyFilter.transaction(request).operationId())
          .body(order);
    }

    @PostMapping("/other")
    String other(@RequestBody Order order) {
      jdbc.update("insert into " + SCHEMA + ".placed values (?, ?)", order.id(), order.cents());
      return "other";
    }

    @GetMapping("/orders")
    String all() {
      return "all";
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class WebApplication {
    @Bean
    Orders orders(JdbcTemplate jdbc, TransactionalOutbox outbox) {
      return new Orders(jdbc, outbox);
    }

    @Bean
    Web web(Orders orders, JdbcTemplate jdbc) {
      return new Web(orders, jdbc);
    }
  }

  private static ConfigurableApplicationContext start(String paths) {
    return Apps.start(
        WebApplicationType.SERVLET,
        WebApplication.class,
        SCHEMA,
        "orders.*",
        "server.port=0",
        "server.address=127.0.0.1",
        "holdfast.http.idempotency.paths=" + paths,
        "holdfast.http.idempotency.consumer=shop");
  }

  @BeforeAll
  static void start() {
    application = start("/orders,/orders/*");
    application
        .getBean(JdbcTemplate.class)
        .execute("create table " + SCHEMA + ".placed (id text primary key, cents integer)");
  }

  @AfterAll
  static void stop() {
    Objects.requireNonNull(application).close();
  }

  private HttpRequest.Builder to(String path) {
    String port =
        Objects.requireNonNull(application).getEnvironment().getProperty("local.server.port");
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
        .header("Content-Type", "application/json");
  }

  private HttpResponse<String> place(String key, String id, int cents)
      throws IOException, InterruptedException {
    return client.send(
        to("/orders")
            .header("Idempotency-Key", key)
            .POST(BodyPublishers.ofString("{\"id\":\"%s\",\"cents\":%d}".formatted(id, cents)))
            .build(),
        BodyHandlers.ofString());
  }

  private List<String> placed(String like) {
    return jdbc.queryForList(
        "select id from " + SCHEMA + ".placed where id like ? order by id",
        String.class,
        like + "%");
  }

  @Test
  void aRepeatedRequestGetsTheStoredResponseAndItsEffectsAreThereOnceInOneCommit()
      throws Exception {
    HttpResponse<String> first = place("key-one", "one", 7);
    HttpResponse<String> again = place("key-one", "one", 7);

    assertThat(first.statusCode()).isEqualTo(201);
    assertThat(again.statusCode()).isEqualTo(201);
    assertThat(again.body()).isEqualTo(first.body()).contains("\"cents\":7");
    assertThat(again.headers().firstValue("Location")).contains("/orders/one");
    assertThat(again.headers().firstValue("Idempotency-Replayed")).contains("true");
    assertThat(placed("one")).containsExactly("one", "one by hand");
    assertThat(
            jdbc.queryForObject(
                "select operation_id from " + SCHEMA + ".message where key = 'one'", String.class))
        .isEqualTo(first.headers().firstValue("Operation").orElseThrow());
    assertThat(
            jdbc.queryForList(
                "select distinct x from (select xmin::text as x from "
                    + SCHEMA
                    + ".placed where id like 'one%' union all select xid::text from "
                    + SCHEMA
                    + ".message where key = 'one') as both_of_it",
                String.class))
        .hasSize(1);
  }

  @Test
  void anotherRequestUnderTheSameKeyIsRefused() throws Exception {
    place("key-two", "two", 7);

    assertThat(place("key-two", "two more", 7).statusCode()).isEqualTo(422);
    assertThat(placed("two more")).isEmpty();
  }

  @Test
  void aServerErrorRollsBackWhatTransactionalMethodsDidAndTheKeyIsAsNew() throws Exception {
    assertThat(place("key-three", "three", 500).statusCode()).isEqualTo(500);
    assertThat(placed("three")).isEmpty();
    HttpResponse<String> again = place("key-three", "three", 500);

    assertThat(again.headers().firstValue("Idempotency-Replayed")).isEmpty();
    assertThat(placed("three")).isEmpty();
  }

  @Test
  void anAnswerToATransactionalMethodThatRolledBackIsSentAndNothingIsStored() throws Exception {
    HttpResponse<String> first = place("key-four", "four", 13);
    HttpResponse<String> again = place("key-four", "four", 13);

    assertThat(first.statusCode()).isEqualTo(409);
    assertThat(again.statusCode()).isEqualTo(409);
    assertThat(again.headers().firstValue("Idempotency-Replayed")).isEmpty();
    assertThat(placed("four")).isEmpty();
    assertThat(jdbc.queryForList("select 1 from " + SCHEMA + ".message where key = 'four'"))
        .isEmpty();
  }

  @Test
  void otherPathsAndMethodsAreLeftAlone() throws Exception {
    HttpResponse<String> other =
        client.send(
            to("/other").POST(BodyPublishers.ofString("{\"id\":\"five\",\"cents\":1}")).build(),
            BodyHandlers.ofString());
    HttpResponse<String> read = client.send(to("/orders").GET().build(), BodyHandlers.ofString());
    HttpResponse<String> without =
        client.send(
            to("/orders").POST(BodyPublishers.ofString("{\"id\":\"six\",\"cents\":1}")).build(),
            BodyHandlers.ofString());

    assertThat(other.statusCode()).isEqualTo(200);
    assertThat(placed("five")).containsExactly("five");
    assertThat(read.body()).isEqualTo("all");
    assertThat(without.statusCode()).isEqualTo(400);
    assertThat(placed("six")).isEmpty();
  }

  @Test
  void aPathThatIsNoPatternFailsTheStart() {
    assertThatThrownBy(() -> start("orders/*").close())
        .hasStackTraceContaining("names orders/*, which is no pattern");
  }
}
