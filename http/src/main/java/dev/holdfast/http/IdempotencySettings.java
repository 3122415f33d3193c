package dev.holdfast.http;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.InboxSettings;
import java.time.Duration;
import java.util.Set;

/**
 * How requests with an {@code Idempotency-Key} are received.
 *
 * @param consumer the inbox's name, 1 to 200 characters; keep it stable: keys are remembered under
 *     it. Endpoints may share one, since a key counts for its principal, method and path
 * @param inbox how long keys are remembered, and how long a handler may leave its transaction alone
 * @param methods to which this applies, in upper case; default {@code POST} and {@code PATCH}
 * @param required whether a request without a key is refused (400), which is the default; otherwise
 *     it is executed in a transaction, each time that it comes
 * @param maxKeyChars the longest key; 1 to 512, default 255
 * @param maxRequestBytes the longest body that is read; 1 to 64 MiB, default 1 MiB
 * @param maxResponseBytes the longest body that is stored; 1 to 983,040, which is the default
 * @param retryAfter what whoever has to come again is told to wait; 1 s to 1 h, whole seconds,
 *     default 1 s
 * @param maxInProgress how many requests this process handles at a time; more get 503. 1 to
 *     1,000,000, default 10,000
 */
public record IdempotencySettings(
    String consumer,
    InboxSettings inbox,
    Set<String> methods,
    boolean required,
    int maxKeyChars,
    int maxRequestBytes,
    int maxResponseBytes,
    Duration retryAfter,
    int maxInProgress) {

  public IdempotencySettings {
    methods = Set.copyOf(methods);
    check("maxKeyChars", maxKeyChars, 1, 512);
    check("maxRequestBytes", maxRequestBytes, 1, 64 << 20);
    check("maxResponseBytes", maxResponseBytes, 1, StoredAnswer.MAX_BODY_BYTES);
    check("maxInProgress", maxInProgress, 1, 1_000_000);
    check("retryAfter", retryAfter, Duration.ofSeconds(1), Duration.ofHours(1));
  }

  /** The defaults, under this consumer's name. */
  public static IdempotencySettings of(String consumer) {
    return new IdempotencySettings(
        consumer,
        InboxSettings.DEFAULT,
        Set.of("POST", "PATCH"),
        true,
        255,
        1 << 20,
        StoredAnswer.MAX_BODY_BYTES,
        Duration.ofSeconds(1),
        10_000);
  }

  public IdempotencySettings withInbox(InboxSettings value) {
    return new IdempotencySettings(
        consumer,
        value,
        methods,
        required,
        maxKeyChars,
        maxRequestBytes,
        maxResponseBytes,
        retryAfter,
        maxInProgress);
  }

  public IdempotencySettings withMethods(String... values) {
    return new IdempotencySettings(
        consumer,
        inbox,
        Set.of(values),
        required,
        maxKeyChars,
        maxRequestBytes,
        maxResponseBytes,
        retryAfter,
        maxInProgress);
  }

  /** Requests without a key are executed, each time that they come. */
  public IdempotencySettings optional() {
    return new IdempotencySettings(
        consumer,
        inbox,
        methods,
        false,
        maxKeyChars,
        maxRequestBytes,
        maxResponseBytes,
        retryAfter,
        maxInProgress);
  }

  public IdempotencySettings withBounds(int keyChars, int requestBytes, int responseBytes) {
    return new IdempotencySettings(
        consumer,
        inbox,
        methods,
        required,
        keyChars,
        requestBytes,
        responseBytes,
        retryAfter,
        maxInProgress);
  }

  public IdempotencySettings withRetryAfter(Duration value) {
    return new IdempotencySettings(
        consumer,
        inbox,
        methods,
        required,
        maxKeyChars,
        maxRequestBytes,
        maxResponseBytes,
        value,
        maxInProgress);
  }

  public IdempotencySettings withMaxInProgress(int value) {
    return new IdempotencySettings(
        consumer,
        inbox,
        methods,
        required,
        maxKeyChars,
        maxRequestBytes,
        maxResponseBytes,
        retryAfter,
        value);
  }

  private static <T extends Comparable<T>> void check(String name, T value, T least, T most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw new InvalidConfiguration(
          "%s is %s, and must be %s to %s. Nothing was started."
              .formatted(name, value, least, most));
    }
  }
}
