package dev.holdfast.http;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.outbox.store.OutboxRecord;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Messages as requests in the CloudEvents binary mode (<a
 * href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md">HTTP
 * binding</a>), signed. Immutable and thread-safe.
 */
final class WebhookRequests {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  /** What the client or this class sets, and a message may not. */
  private static final Set<String> OURS =
      Set.of(
          "connection",
          "content-length",
          "content-type",
          "expect",
          "host",
          "idempotency-key",
          "keep-alive",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade",
          "webhook-id",
          "webhook-signature",
          "webhook-timestamp");

  private final URI uri;
  private final String source;
  private final Set<String> reserved;
  private final Map<String, String> headers;
  private final Signing signing;
  private final Duration timeout;
  private final InstantSource clock;

  WebhookRequests(
      URI uri,
      String source,
      Map<String, String> headers,
      Signing signing,
      Duration timeout,
      InstantSource clock) {
    this.uri = uri;
    this.source = source;
    this.headers = headers;
    this.reserved =
        headers.keySet().stream()
            .map(name -> name.toLowerCase(Locale.ROOT))
            .collect(Collectors.toUnmodifiableSet());
    this.signing = signing;
    this.timeout = timeout;
    this.clock = clock;
  }

  /** Refuses a configured header that would have every message parked. */
  static void requireSendable(URI uri, String name, String value) {
    if (isOurs(name)) {
      throw new InvalidConfiguration(
          "The header %s is set by Holdfast or by the HTTP client, so it cannot be configured for a webhook. Nothing was started."
              .formatted(name));
    }
    try {
      HttpRequest.newBuilder(uri).setHeader(name, value);
    } catch (IllegalArgumentException e) {
      // Without its cause, which prints the value.
      throw new InvalidConfiguration(
          "A header that is configured for the webhook at %s (%s) has a name or a value that HTTP does not allow. Nothing was started."
              .formatted(uri.getHost(), plain(name)));
    }
  }

  private static boolean isOurs(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return OURS.contains(lower) || lower.startsWith("ce-");
  }

  /**
   * The request of a message, with the time of now.
   *
   * @throws UnsendableHeader when a header of the message can never be sent
   */
  HttpRequest of(OutboxRecord message) {
    byte[] body = message.payload() == null ? new byte[0] : message.payload();
    String id = message.id().toString();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri).timeout(timeout).POST(BodyPublishers.ofByteArray(body));
    if (uri.getScheme().equals("http")) {
      request.version(HttpClient.Version.HTTP_1_1);
    }
    headers.forEach(request::setHeader);
    for (Map.Entry<String, String> own : message.headers().entrySet()) {
      String name = own.getKey().toLowerCase(Locale.ROOT);
      if (isOurs(name) || reserved.contains(name)) {
        throw new UnsendableHeader(
            "its header %s is one that the request has already".formatted(own.getKey()));
      }
      request.setHeader(own.getKey(), plain(own.getValue()));
    }
    request.setHeader("ce-specversion", "1.0");
    request.setHeader("ce-id", id);
    request.setHeader("ce-source", escaped(source));
    request.setHeader("ce-type", escaped(message.type()));
    request.setHeader("ce-time", TIME.format(Instant.ofEpochMilli(message.recordedAtMillis())));
    request.setHeader("ce-topic", message.topic());
    if (message.key() != null) {
      request.setHeader("ce-partitionkey", escaped(message.key()));
    }
    if (message.operationId() != null) {
      request.setHeader("ce-operationid", escaped(message.operationId()));
    }
    if (message.payload() != null) {
      request.setHeader("content-type", plain(message.contentType()));
    }
    request.setHeader(IdempotencyKey.HEADER, IdempotencyKey.quoted(id));
    request.setHeader("webhook-id", id);
    long seconds = clock.instant().getEpochSecond();
    request.setHeader("webhook-timestamp", Long.toString(seconds));
    if (!signing.isEmpty()) {
      request.setHeader("webhook-signature", signing.sign(id, seconds, body));
    }
    return request.build();
  }

  /** A header that can never be sent. */
  static final class UnsendableHeader extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnsendableHeader(String message) {
      super(message, null, false, false);
    }
  }

  /**
   * As the binding has attributes: all but printable ASCII is encoded, and space, quote, percent.
   */
  static String escaped(String text) {
    return encoded(text, " \"%");
  }

  /** A header of another kind: as it is, and what no header may hold encoded. */
  private static String plain(String text) {
    return encoded(text, "");
  }

  private static String encoded(String text, String alsoThese) {
    StringBuilder escaped = new StringBuilder(text.length());
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      if (b >= ' ' && b <= '~' && alsoThese.indexOf(b) < 0) {
        escaped.append((char) b);
      } else {
        escaped.append('%').append("%02X".formatted(b & 0xff));
      }
    }
    return escaped.toString();
  }
}
