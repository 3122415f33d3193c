package dev.holdfast.opentelemetry;

import dev.holdfast.Message;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.OutboxListener;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.store.OutboxRecord;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Spans of messages on their way, as a listener for {@code Holdfast.Builder.listener}. Thread-safe.
 *
 * <ul>
 *   <li><b>{@code create TOPIC}</b>, of kind producer: where a message is published, below the span
 *       that is current there. Its context is written into the message's header {@code traceparent}
 *       (<a href="https://www.w3.org/TR/trace-context/">W3C Trace Context</a>), unless the message
 *       has one already. It says nothing of a commit.
 *   <li><b>{@code send TOPIC}</b>, of kind client: the relay's work on a message, below the first;
 *       from its batch being handed to the target to the target's answer. Only for messages whose
 *       context says that it is sampled, and for {@value #MAX_SPANS} of a batch at most, so that a
 *       drained backlog does not become a flood of spans.
 *   <li>The consumer finds the first one's context in the record, which its own instrumentation
 *       takes for the parent. So all three are in one trace.
 * </ul>
 *
 * <p>A crash loses the spans that were under way, and nothing else: a message that is delivered by
 * the next relay has its context with it.
 */
public final class HoldfastTracing implements OutboxListener {
  /** The most spans that one batch makes. */
  public static final int MAX_SPANS = 128;

  private static final AttributeKey<String> SYSTEM = AttributeKey.stringKey("messaging.system");
  private static final AttributeKey<String> DESTINATION =
      AttributeKey.stringKey("messaging.destination.name");
  private static final AttributeKey<String> MESSAGE_ID =
      AttributeKey.stringKey("messaging.message.id");
  private static final AttributeKey<String> OPERATION_TYPE =
      AttributeKey.stringKey("messaging.operation.type");
  private static final AttributeKey<String> OPERATION_NAME =
      AttributeKey.stringKey("messaging.operation.name");
  private static final AttributeKey<Long> BATCH =
      AttributeKey.longKey("messaging.batch.message_count");
  private static final AttributeKey<String> ERROR_TYPE = AttributeKey.stringKey("error.type");
  private static final AttributeKey<String> CHANNEL = AttributeKey.stringKey("holdfast.channel");
  private static final AttributeKey<String> OPERATION =
      AttributeKey.stringKey("holdfast.operation");
  private static final AttributeKey<String> RECORDED_AT =
      AttributeKey.stringKey("holdfast.recorded_at");

  private static final String TRACEPARENT = "traceparent";
  private static final TextMapPropagator W3C = W3CTraceContextPropagator.getInstance();

  private static final TextMapGetter<Map<String, String>> HEADERS =
      new TextMapGetter<>() {
        @Override
        public @Nullable String get(@Nullable Map<String, String> headers, String name) {
          return headers == null ? null : headers.get(name);
        }
      };

  private final Tracer tracer;

  /**
   * @param openTelemetry what makes and exports the spans
   */
  public HoldfastTracing(OpenTelemetry openTelemetry) {
    this.tracer = openTelemetry.getTracer("dev.holdfast");
  }

  /** A message on its way to its span's end. */
  private record Underway(long position, Span span) {}

  @Override
  public Message publishing(Message message) {
    if (message.headers().containsKey(TRACEPARENT)) {
      return message;
    }
    Span span =
        tracer
            .spanBuilder("create " + message.topic())
            .setSpanKind(SpanKind.PRODUCER)
            .setAttribute(SYSTEM, "holdfast")
            .setAttribute(OPERATION_TYPE, "create")
            .setAttribute(OPERATION_NAME, "create")
            .setAttribute(DESTINATION, message.topic())
            .setAttribute(MESSAGE_ID, message.id().toString())
            .startSpan();
    try {
      Message[] withContext = {message};
      W3C.inject(
          Context.current().with(span),
          withContext,
          (carrier, name, value) -> {
            if (carrier != null) {
              carrier[0] = carrier[0].withHeader(name, value);
            }
          });
      return withContext[0];
    } finally {
      span.end();
    }
  }

  @Override
  public void recorded(String operationId, List<Message> messages) {}

  @Override
  public Sending sending(String channel, List<OutboxRecord> messages) {
    List<Underway> underway = new ArrayList<>();
    for (OutboxRecord message : messages) {
      if (underway.size() == MAX_SPANS) {
        break;
      }
      Context parent = W3C.extract(Context.root(), message.headers(), HEADERS);
      if (Span.fromContext(parent).getSpanContext().isSampled()) {
        underway.add(
            new Underway(message.position(), start(channel, message, parent, messages.size())));
      }
    }
    return underway.isEmpty()
        ? Sending.IGNORED
        : delivery -> underway.forEach(each -> end(each, delivery));
  }

  private Span start(String channel, OutboxRecord message, Context parent, int batch) {
    return tracer
        .spanBuilder("send " + message.topic())
        .setParent(parent)
        .setSpanKind(SpanKind.CLIENT)
        .setAttribute(SYSTEM, "holdfast")
        .setAttribute(OPERATION_TYPE, "send")
        .setAttribute(OPERATION_NAME, "send")
        .setAttribute(DESTINATION, message.topic())
        .setAttribute(MESSAGE_ID, message.id().toString())
        .setAttribute(BATCH, (long) batch)
        .setAttribute(CHANNEL, channel)
        .setAttribute(OPERATION, message.operationId())
        .setAttribute(RECORDED_AT, Instant.ofEpochMilli(message.recordedAtMillis()).toString())
        .startSpan();
  }

  private static void end(Underway underway, Delivery delivery) {
    Span span = underway.span();
    if (delivery instanceof Delivery.Refused refused) {
      String reason = refused.refused().get(underway.position());
      if (reason != null) {
        fail(span, "refused", reason);
      } else if (!refused.delivered().contains(underway.position())) {
        fail(span, "not_delivered", "another message of its batch was refused; it is sent again");
      }
    } else if (delivery instanceof Delivery.Unavailable unavailable) {
      fail(span, "unavailable", unavailable.reason());
    } else if (delivery instanceof Delivery.Fenced) {
      fail(span, "fenced", "a later leader has taken over");
    }
    span.end();
  }

  private static void fail(Span span, String type, String reason) {
    span.setAttribute(ERROR_TYPE, type).setStatus(StatusCode.ERROR, reason);
  }

  @Override
  public void phase(String channel, RelayPhase from, RelayPhase to, @Nullable String problem) {}
}
