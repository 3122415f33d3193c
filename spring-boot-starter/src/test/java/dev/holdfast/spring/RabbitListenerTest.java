package dev.holdfast.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.GetResponse;
import dev.holdfast.Message;
import dev.holdfast.Transaction;
import dev.holdfast.devservices.RabbitServer;
import dev.holdfast.spring.QueueApp.Parcel;
import dev.holdfast.spring.QueueApp.Seen;
import dev.holdfast.spring.QueueApp.Shop;
import dev.holdfast.spring.QueueApp.Works;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.test.util.ReflectionTestUtils;

/** What Spring does in the transaction of a message of RabbitMQ, and what becomes of it. */
@Tag("rabbitmq")
final class RabbitListenerTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String SCHEMA = TestServers.unique("rabbit_");
  private static final String QUEUE = TestServers.unique("parcels.");
  private static final String TYPED = TestServers.unique("typed.");
  private static final String DEAD = TestServers.unique("dead.");

  private static @Nullable RabbitServer server;
  private static @Nullable ConfigurableApplicationContext application;

  private final JdbcTemplate outside = new JdbcTemplate(dataSource());

  static class Handlers {
    private final Works works;
    private final Seen seen;

    Handlers(Works works, Seen seen) {
      this.works = works;
      this.seen = seen;
    }

    @HoldfastRabbitListener(consumer = "patient", queue = "${test.queue}")
    void handle(Transaction tx, String body, Delivery message) throws Exception {
      assertThat(message.getBody()).asString(UTF_8).isEqualTo(body);
      works.run(tx, body);
    }

    @HoldfastRabbitListener(consumer = "typed", queue = "${test.typed-queue}")
    void parcels(
        List<Parcel> parcels,
        @Header("tenant") String tenant,
        @Header(name = "count", required = false) @Nullable String count) {
      seen.all.add(tenant + " " + count + " " + parcels);
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @Import(QueueApp.Parts.class)
  static class Application {
    @Bean
    ConnectionFactory rabbit() {
      return client();
    }

    @Bean
    Handlers handlers(Works works, Seen seen) {
      return new Handlers(works, seen);
    }
  }

  private static ConnectionFactory client() {
    ConnectionFactory factory = new ConnectionFactory();
    factory.setHost("127.0.0.1");
    factory.setPort(Objects.requireNonNull(server).port());
    return factory;
  }

  private static PGSimpleDataSource dataSource() {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(TestServers.POSTGRES.jdbcUrl());
    dataSource.setCurrentSchema(SCHEMA);
    return dataSource;
  }

  /** What is done on a channel. */
  @FunctionalInterface
  interface OnChannel<T extends @Nullable Object> {
    T run(Channel channel) throws IOException;
  }

  private static <T extends @Nullable Object> T onChannel(OnChannel<T> work) {
    try (Connection connection = client().newConnection();
        Channel channel = connection.createChannel()) {
      return work.run(channel);
    } catch (IOException | TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  @BeforeAll
  static void start() {
    server = RabbitServer.start();
    for (String queue : List.of(QUEUE, TYPED, DEAD)) {
      onChannel(channel -> channel.queueDeclare(queue, true, false, false, Map.of()));
    }
    QueueApp.createTables(new JdbcTemplate(dataSource()), SCHEMA);
    application =
        Apps.start(
            Application.class,
            SCHEMA,
            "parcels.*",
            "spring.datasource.hikari.schema=" + SCHEMA,
            "test.queue=" + QUEUE,
            "test.typed-queue=" + TYPED,
            "holdfast.consumers.patient.attempts=2",
            "holdfast.consumers.patient.concurrency=2",
            "holdfast.consumers.patient.dead-letter=" + DEAD,
            "holdfast.consumers.typed.rabbitmq.reject=true");
  }

  @AfterAll
  static void stop() {
    Objects.requireNonNull(application).close();
    Objects.requireNonNull(server).close();
  }

  private static <T> T bean(Class<T> type) {
    return Objects.requireNonNull(application).getBean(type);
  }

  private static void send(String queue, String id, Map<String, Object> headers, String body) {
    AMQP.BasicProperties properties =
        new AMQP.BasicProperties.Builder().messageId(id).headers(headers).deliveryMode(2).build();
    onChannel(
        channel -> {
          channel.basicPublish("", queue, properties, body.getBytes(UTF_8));
          return Boolean.TRUE;
        });
  }

  private static void eventually(org.awaitility.core.ThrowingRunnable holds) {
    await().atMost(SOON).untilAsserted(holds);
  }

  private List<String> parcels(String like) {
    return outside.queryForList(
        "select id from parcel where id like ? order by id", String.class, like + "%");
  }

  private static double meter(String name) {
    return bean(MeterRegistry.class)
        .get("holdfast.listener." + name)
        .tag("consumer", "patient")
        .meter()
        .measure()
        .iterator()
        .next()
        .getValue();
  }

  @Test
  void theEffectsTheMessageAndTheIdAreOneCommitAndAMessageThatComesTwiceIsHandledOnce() {
    bean(Works.class)
        .put(
            "one",
            (tx, body) -> {
              bean(Shop.class).insert(body);
              bean(TransactionalOutbox.class).publish(Message.of("parcels.sent", "one", "{}"));
            });
    send(QUEUE, "id-1", Map.of("cloudEvents_operationid", "checkout-1"), "one");
    eventually(() -> assertThat(parcels("one")).hasSize(1));
    send(QUEUE, "id-1", Map.of("cloudEvents_operationid", "checkout-1"), "one");
    eventually(() -> assertThat(meter("repeated")).isEqualTo(1));

    assertThat(
            outside.queryForList(
                "select p.xmin::text = m.xid::text and m.operation_id = 'checkout-1' from parcel p join message m on m.key = p.id where p.id = 'one'",
                Boolean.class))
        .containsExactly(true);
    assertThat(meter("connected")).isEqualTo(2);
    assertThat(meter("handled")).isPositive();
  }

  @Test
  void aMethodThatThrowsLeavesNothingAndItsMessageIsMovedAfterItsAttempts() {
    AtomicInteger calls = new AtomicInteger();
    bean(Works.class)
        .put(
            "bad",
            (tx, body) -> {
              calls.incrementAndGet();
              bean(Shop.class).insert(body);
              throw new IllegalArgumentException("cannot be shipped");
            });
    send(QUEUE, "id-2", Map.of(), "bad");

    await()
        .atMost(SOON)
        .until(
            () -> {
              GetResponse dead = onChannel(channel -> channel.basicGet(DEAD, true));
              return dead != null
                  && new String(dead.getBody(), UTF_8).equals("bad")
                  && String.valueOf(dead.getProps().getHeaders().get("holdfast_reason"))
                      .contains("cannot be shipped");
            });
    assertThat(calls).hasValue(2);
    assertThat(parcels("bad")).isEmpty();
    eventually(() -> assertThat(meter("given.up")).isEqualTo(1));
  }

  @Test
  void payloadsAreReadAsJsonWithHeaders() {
    send(TYPED, "id-3", Map.of("tenant", "north", "count", 3), "[{\"id\":\"a\",\"cents\":7}]");
    eventually(() -> assertThat(bean(Seen.class).all).contains("north 3 [Parcel[id=a, cents=7]]"));
  }

  @Test
  void aBrokerThatIsGoneShowsInTheHealthAndIsConnectedToAgain() {
    eventually(() -> assertThat(health()).contains("RabbitMQ queue " + QUEUE));
    Objects.requireNonNull(server).kill();
    try {
      eventually(() -> assertThat(health()).startsWith("DOWN").contains("connected=0"));
    } finally {
      Objects.requireNonNull(server).restart();
    }
    bean(Works.class).put("again", (tx, body) -> bean(Shop.class).insert(body));
    send(QUEUE, "id-4", Map.of(), "again");
    eventually(() -> assertThat(parcels("again")).containsExactly("again"));
    eventually(() -> assertThat(health()).doesNotContain("connected=0"));
  }

  /** In either version of Spring Boot. */
  private static String health() {
    Object indicator = Objects.requireNonNull(application).getBean("holdfastHealthIndicator");
    return String.valueOf(ReflectionTestUtils.<Object>invokeMethod(indicator, "health"));
  }
}
