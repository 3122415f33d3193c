package dev.holdfast.http;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.boundary.Acknowledgment;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a {@link Webhook} is made with. Prints nothing of it: headers and secrets are in it. */
record WebhookSettings(
    URI uri,
    List<String> secrets,
    Map<String, String> headers,
    @Nullable String source,
    int lanes,
    Duration timeout,
    Duration retryFor,
    Duration batchFor,
    Optional<Duration> parkErrorsAfter,
    Optional<Duration> keysKept,
    Acknowledgment acknowledgment,
    @Nullable HttpClient client,
    InstantSource clock) {

  WebhookSettings {
    headers = Map.copyOf(headers);
    secrets = List.copyOf(secrets);
    String scheme = uri.getScheme();
    if (scheme == null
        || !(scheme.equals("http") || scheme.equals("https"))
        || uri.getHost() == null) {
      throw new InvalidConfiguration(
          "The address of a webhook must be http://HOST or https://HOST with a path. Nothing was started.");
    }
    if (uri.getRawUserInfo() != null) {
      throw new InvalidConfiguration(
          "The address of the webhook at %s has a user or a password in it, which would be logged. Nothing was started. Use header(\"Authorization\", …)."
              .formatted(uri.getHost()));
    }
    check("lanes", lanes, 1, 64);
    check("timeout", timeout, Duration.ofMillis(10), Duration.ofMinutes(2));
    check("retryFor", retryFor, Duration.ZERO, Duration.ofMinutes(1));
    check("batchFor", batchFor, Duration.ofMillis(100), Duration.ofMinutes(5));
    parkErrorsAfter.ifPresent(
        after -> check("parkErrorsAfter", after, Duration.ZERO, Duration.ofDays(30)));
    headers.forEach((name, value) -> WebhookRequests.requireSendable(uri, name, value));
  }

  static WebhookSettings of(URI uri) {
    return new WebhookSettings(
        uri,
        List.of(),
        Map.of(),
        null,
        8,
        Duration.ofSeconds(5),
        Duration.ofSeconds(2),
        Duration.ofSeconds(10),
        Optional.empty(),
        Optional.empty(),
        Acknowledgment.ACCEPTED,
        null,
        InstantSource.system());
  }

  /** The same, being changed. */
  static final class Draft {
    final URI uri;
    List<String> secrets;
    Map<String, String> headers;
    @Nullable String source;
    int lanes;
    Duration timeout;
    Duration retryFor;
    Duration batchFor;
    Optional<Duration> parkErrorsAfter;
    Optional<Duration> keysKept;
    Acknowledgment acknowledgment;
    @Nullable HttpClient client;
    InstantSource clock;

    Draft(WebhookSettings from) {
      this.uri = from.uri;
      this.secrets = from.secrets;
      this.headers = from.headers;
      this.source = from.source;
      this.lanes = from.lanes;
      this.timeout = from.timeout;
      this.retryFor = from.retryFor;
      this.batchFor = from.batchFor;
      this.parkErrorsAfter = from.parkErrorsAfter;
      this.keysKept = from.keysKept;
      this.acknowledgment = from.acknowledgment;
      this.client = from.client;
      this.clock = from.clock;
    }

    WebhookSettings done() {
      return new WebhookSettings(
          uri,
          secrets,
          headers,
          source,
          lanes,
          timeout,
          retryFor,
          batchFor,
          parkErrorsAfter,
          keysKept,
          acknowledgment,
          client,
          clock);
    }
  }

  private static <T extends Comparable<T>> void check(String name, T value, T least, T most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw new InvalidConfiguration(
          "The webhook's %s is %s, and must be %s to %s. Nothing was started."
              .formatted(name, value, least, most));
    }
  }

  /** The host and port that failures are counted for. */
  String host() {
    int port = uri.getPort() >= 0 ? uri.getPort() : uri.getScheme().equals("https") ? 443 : 80;
    return uri.getHost() + ":" + port;
  }

  @Override
  public String toString() {
    return "webhook at " + host();
  }
}
