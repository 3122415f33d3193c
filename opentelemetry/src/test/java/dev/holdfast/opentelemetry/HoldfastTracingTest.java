package dev.holdfast.opentelemetry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.TransactionOptions;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.kafka.KafkaTarget;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.testing.junit5.OpenTelemetryExtension;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.ds.PGSimpleDataSource;

final class HoldfastTracingTest {
  private static final Duration BOUND = Duration.ofSeconds(30);
  private static final AttributeKey<String> MESSAGE_ID =
      AttributeKey.stringKey("messaging.message.id");

  @RegisterExtension static final OpenTelemetryExtension OTEL = OpenTelemetryExtension.create();

  private static final PostgresServer POSTGRES = PostgresServer.start();
  private static final KafkaServer KAFKA = KafkaServer.start();
  private static Holdfast holdfast =
      start(
          OTEL.getOpenTelemetry(), Kafka.to(Map.of("bootstrap.servers", KAFKA.bootstrapServers())));

  private static Holdfast start(OpenTelemetry openTelemetry, KafkaTarget target) {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(POSTGRES.jdbcUrl());
    // snippet:tracing
    Holdfast traced =
        Holdfast.on(dataSource)
            .channel("orders", target, "orders.*")
            .listener(new HoldfastTracing(openTelemetry))
            .start();
    // end
    return traced;
  }

  @BeforeAll
  static void topics() {
    KAFKA.createTopic("orders.placed", 1);
    KAFKA.createTopic("orders.many", 1);
    KAFKA.createTopic("orders.given", 1);
  }

  @AfterAll
  static void end() {
    holdfast.close();
    KAFKA.close();
    POSTGRES.close();
  }

  @Test
  void whoPublishesTheRelayAndTheConsumerAreInOneTrace() {
    Span request = OTEL.getOpenTelemetry().getTracer("test").spanBuilder("request").startSpan();
    Message message = Message.of("orders.placed", "o-1", "{}");
    try (Scope scope = request.makeCurrent()) {
      holdfast.transact(
          TransactionOptions.DEFAULT.withOperationId("op-1"), tx -> tx.publish(message));
    } finally {
      request.end();
    }

    String traceparent = header(consume("orders.placed", 1).get(0), "traceparent");
    SpanData create = awaitSpan("create orders.placed", message);
    SpanData send = awaitSpan("send orders.placed", message);

    assertThat(create.getParentSpanId()).isEqualTo(request.getSpanContext().getSpanId());
    assertThat(create.getTraceId()).isEqualTo(request.getSpanContext().getTraceId());
    assertThat(create.getKind()).isEqualTo(SpanKind.PRODUCER);
    assertThat(send.getParentSpanId()).isEqualTo(create.getSpanId());
    assertThat(send.getTraceId()).isEqualTo(create.getTraceId());
    assertThat(send.getKind()).isEqualTo(SpanKind.CLIENT);
    assertThat(send.getAttributes().get(AttributeKey.stringKey("holdfast.operation")))
        .isEqualTo("op-1");
    assertThat(send.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    assertThat(traceparent)
        .startsWith("00-%s-%s-".formatted(create.getTraceId(), create.getSpanId()));
  }

  @Test
  void aContextThatTheMessageHasIsKept() {
    String given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    Message message = Message.to("orders.given").key("k").json("{}").traceparent(given).build();

    holdfast.transact(tx -> tx.publish(message));

    assertThat(header(consume("orders.given", 1).get(0), "traceparent")).isEqualTo(given);
    assertThat(awaitSpan("send orders.given", message).getParentSpanId())
        .isEqualTo("b7ad6b7169203331");
    assertThat(OTEL.getSpans()).noneMatch(span -> span.getName().equals("create orders.given"));
  }

  @Test
  void aBatchMakesNoFloodOfSpans() {
    int messages = 3 * HoldfastTracing.MAX_SPANS;

    holdfast.transact(
        tx -> {
          for (int i = 0; i < messages; i++) {
            tx.publish(Message.of("orders.many", "k", "" + i));
          }
        });

    assertThat(consume("orders.many", messages)).hasSize(messages);
    await()
        .atMost(BOUND)
        .untilAsserted(
            () -> assertThat(spans("send orders.many")).hasSize(HoldfastTracing.MAX_SPANS));
  }

  @Test
  void aMessageThatIsRefusedEndsItsSpanAsAnError() {
    Message message = Message.of("orders.nowhere", "parked", "{}");

    holdfast.transact(tx -> tx.publish(message));

    SpanData send = awaitSpan("send orders.nowhere", message);
    assertThat(send.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(send.getAttributes().get(AttributeKey.stringKey("error.type"))).isEqualTo("refused");
  }

  private static List<SpanData> spans(String name) {
    return OTEL.getSpans().stream().filter(span -> span.getName().equals(name)).toList();
  }

  private static SpanData awaitSpan(String name, Message message) {
    return await()
        .atMost(BOUND)
        .until(
            () ->
                spans(name).stream()
                    .filter(
                        span ->
                            message.id().toString().equals(span.getAttributes().get(MESSAGE_ID)))
                    .toList(),
            found -> !found.isEmpty())
        .get(0);
  }

  private static String header(ConsumerRecord<String, String> message, String name) {
    return new String(message.headers().lastHeader(name).value(), UTF_8);
  }

  private static List<ConsumerRecord<String, String>> consume(String topic, int messages) {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", KAFKA.bootstrapServers());
    config.put("group.id", "test-" + topic);
    config.put("auto.offset.reset", "earliest");
    config.put("isolation.level", "read_committed");
    List<ConsumerRecord<String, String>> all = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(topic));
      await()
          .atMost(BOUND)
          .until(
              () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(all::add);
                return all.size() >= messages;
              });
    }
    return all;
  }
}
