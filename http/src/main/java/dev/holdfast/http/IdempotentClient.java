package dev.holdfast.http;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.BoundedBody;
import dev.holdfast.internal.Doorbell;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Sends a request under an {@code Idempotency-Key}, again while it is not known what became of it,
 * and says what did. Immutable and thread-safe. It must not be called inside a transaction, which
 * would be held for as long.
 *
 * <table>
 * <caption>What an answer means</caption>
 * <tr><th>answer</th><th>outcome</th></tr>
 * <tr><td>2xx</td><td>{@code Committed}; whether it is this attempt's or an earlier one's</td></tr>
 * <tr><td>4xx, not 408, 409, 425, 429</td><td>{@code Rejected}, if no attempt before it was
 * left open; otherwise {@code Unknown}: a gateway may have answered, or the key is known with
 * another request, and the earlier one has an effect all the same</td></tr>
 * <tr><td>408, 409, 425, 429, 5xx, no answer, a reset, a response over the bound</td><td>sent
 * again, after {@code Retry-After} if it fits the time; {@code Unknown} in the end</td></tr>
 * <tr><td>3xx</td><td>{@code Unknown}</td></tr>
 * </table>
 *
 * <p>That a repeat is safe rests on the server: it has to keep keys for longer than it is repeated.
 * After {@code Unknown} call {@link #sendAgain} under the same key, by then from another process
 * maybe; keep the key where the decision to send is kept.
 */
public final class IdempotentClient {
  private static final Set<Integer> COME_AGAIN = Set.of(408, 409, 425, 429);
  private static final int MAX_KEY_CHARS = 255;

  private final HttpClient client;
  private final int attempts;
  private final Duration timeout;
  private final Duration within;
  private final int maxResponseBytes;
  private final InstantSource clock;

  private IdempotentClient(
      HttpClient client,
      int attempts,
      Duration timeout,
      Duration within,
      int maxResponseBytes,
      InstantSource clock) {
    if (attempts < 1 || attempts > 100) {
      throw new InvalidConfiguration(
          "The attempts are %d, and must be 1 to 100. Nothing was sent.".formatted(attempts));
    }
    if (timeout.toMillis() < 1 || within.compareTo(timeout) < 0) {
      throw new InvalidConfiguration(
          "An attempt may take %s and all of them %s: the first must be 1 ms at least, and the second not less. Nothing was sent."
              .formatted(timeout, within));
    }
    this.client = client;
    this.attempts = attempts;
    this.timeout = timeout;
    this.within = within;
    this.maxResponseBytes = maxResponseBytes;
    this.clock = clock;
  }

  /**
   * Five attempts of 10 s each within 30 s; responses of 1 MiB at most.
   *
   * @throws InvalidConfiguration when the client follows redirects: an answer from elsewhere, to a
   *     request that may have become another, says nothing of the effect
   */
  public static IdempotentClient over(HttpClient client) {
    if (client.followRedirects() != HttpClient.Redirect.NEVER) {
      throw new InvalidConfiguration(
          "The client follows redirects, and what answers then says nothing of the effect. Nothing was sent. Build it with Redirect.NEVER.");
    }
    return new IdempotentClient(
        client, 5, Duration.ofSeconds(10), Duration.ofSeconds(30), 1 << 20, InstantSource.system());
  }

  /**
   * @param most how many requests are sent at most; 1 to 100
   * @param each how long an answer is waited for, its body included
   * @param all how long it takes altogether, the waits in between included
   */
  public IdempotentClient attempts(int most, Duration each, Duration all) {
    return new IdempotentClient(client, most, each, all, maxResponseBytes, clock);
  }

  public IdempotentClient maxResponseBytes(int value) {
    return new IdempotentClient(client, attempts, timeout, within, value, clock);
  }

  /** With another clock than the system's for dates in {@code Retry-After}. */
  public IdempotentClient clock(InstantSource value) {
    return new IdempotentClient(client, attempts, timeout, within, maxResponseBytes, value);
  }

  /**
   * Sends a request for the first time under this key.
   *
   * @param request whose body can be sent more than once, as those of strings and bytes can
   * @param key 1 to 255 characters of printable ASCII
   * @throws InvalidConfiguration when the key is none; nothing was sent
   */
  public Attempted send(HttpRequest request, String key) {
    return send(request, key, false);
  }

  /** Sends a request that was sent under this key before, and whose outcome was unknown. */
  public Attempted sendAgain(HttpRequest request, String key) {
    return send(request, key, true);
  }

  private Attempted send(HttpRequest request, String key, boolean openBefore) {
    if (!key.equals(
        IdempotencyKey.parse(List.of(IdempotencyKey.quoted(key)), MAX_KEY_CHARS).key())) {
      throw new InvalidConfiguration(
          "The idempotency key must be 1 to %d characters of printable ASCII. Nothing was sent."
              .formatted(MAX_KEY_CHARS));
    }
    HttpRequest keyed =
        HttpRequest.newBuilder(request, (name, value) -> true)
            .setHeader(IdempotencyKey.HEADER, IdempotencyKey.quoted(key))
            .timeout(timeout)
            .build();
    long begun = Doorbell.nanos();
    Backoff backoff =
        new Backoff(Duration.ofMillis(50), Duration.ofSeconds(5), ThreadLocalRandom.current());
    boolean open = openBefore;
    HttpResponse<byte[]> response = null;
    String reason = "";
    int attempt = 1;
    try {
      for (; ; attempt++) {
        Duration wait = backoff.next();
        try {
          response = exchange(keyed);
          Outcome outcome = outcome(response.statusCode(), open);
          if (outcome != null) {
            return new Attempted(outcome, response, attempt);
          }
          reason = "the server answered " + response.statusCode();
          wait = RetryAfter.of(response.headers(), clock.instant()).orElse(wait);
        } catch (TimeoutException e) {
          reason = "there was no answer within " + timeout;
        } catch (ExecutionException e) {
          reason = "there was no whole answer (" + e.getCause() + ")";
        }
        open = true;
        Duration left = within.minus(Doorbell.since(begun)).minus(timeout);
        if (attempt == attempts || wait.compareTo(left) > 0) {
          return new Attempted(unknown(reason, attempt), response, attempt);
        }
        new Doorbell().await(wait);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Attempted(unknown("the thread was interrupted", attempt), response, attempt);
    }
  }

  private static Outcome unknown(String reason, int attempts) {
    return new Outcome.Unknown(
        "After %d attempt(s) %s. Send it again under the same key, or ask the server."
            .formatted(attempts, reason));
  }

  private HttpResponse<byte[]> exchange(HttpRequest request)
      throws InterruptedException, ExecutionException, TimeoutException {
    CompletableFuture<HttpResponse<byte[]>> answer =
        client.sendAsync(request, info -> new BoundedBody(maxResponseBytes));
    try {
      return answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | InterruptedException e) {
      answer.cancel(true);
      throw e;
    }
  }

  /** What the answer decides; {@code null} for what is tried again. */
  private static @Nullable Outcome outcome(int status, boolean open) {
    if (status >= 200 && status < 300) {
      return new Outcome.Committed();
    }
    if (COME_AGAIN.contains(status) || status >= 500) {
      return null;
    }
    if (status >= 400 && !open) {
      return new Outcome.Rejected("the server answered " + status);
    }
    return new Outcome.Unknown(
        "The server answered %d, which does not say what became of an earlier attempt or where the request went. Ask the server."
            .formatted(status));
  }
}
