package dev.holdfast.http;

import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Sends a batch in lanes, by the hash of the key. In a lane one message is under way at a time. A
 * message that is not answered holds up the later ones of its key; the lane goes on with others,
 * and comes back to it for as long as {@code retryFor} allows.
 *
 * <p>A batch has an end: no request begins after {@code batchFor}, and each is given up after its
 * timeout. Leases are kept by another thread meanwhile, but a leader that has lost its own finds
 * out between two batches only.
 */
final class WebhookSession implements TargetSession {
  /** The longest {@code Retry-After} that is believed. */
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

  private static final int BREAKER_FAILURES = 5;
  private static final Duration BREAKER_PAUSE = Duration.ofSeconds(1);
  private static final Duration FIRST_RETRY = Duration.ofMillis(50);
  private static final Duration LONGEST_RETRY = Duration.ofSeconds(1);

  private final WebhookSettings settings;
  private final WebhookRequests requests;
  private final HttpClient client;
  private final Breaker breaker;
  private final Unfinished.Messages unfinished;
  private final AtomicReference<@Nullable ExecutorService> threads = new AtomicReference<>();
  private volatile boolean closed;

  WebhookSession(
      WebhookSettings settings,
      WebhookRequests requests,
      HttpClient client,
      Breaker breaker,
      Unfinished.Messages unfinished) {
    this.settings = settings;
    this.requests = requests;
    this.client = client;
    this.breaker = breaker;
    this.unfinished = unfinished;
  }

  @Override
  public Optional<String> peekProgress() {
    return Optional.empty();
  }

  @Override
  public void takeOver() {
    // Nobody can be fenced here, which the capabilities say.
  }

  @Override
  public Optional<String> progress() {
    return Optional.empty();
  }

  /** One call of {@link #send}. */
  private final class Batch {
    private final long begunAt = Doorbell.nanos();
    private final Map<Long, String> refused = new ConcurrentHashMap<>();
    private final Set<Long> delivered = ConcurrentHashMap.newKeySet();
    private final AtomicReference<@Nullable String> problem = new AtomicReference<>();

    /** No lane has to go on trying when one has given up for all. */
    private boolean isOver() {
      return closed || Doorbell.hasPassed(settings.batchFor(), begunAt);
    }
  }

  @Override
  public Delivery send(List<OutboxRecord> messages, String progress) {
    if (messages.isEmpty()) {
      return new Delivery.Done();
    }
    Batch batch = new Batch();
    List<List<OutboxRecord>> lanes = new ArrayList<>();
    for (int i = 0; i < settings.lanes(); i++) {
      lanes.add(new ArrayList<>());
    }
    for (OutboxRecord message : messages) {
      if (unfinished.contains(message)) {
        batch.delivered.add(message.position());
      } else {
        lanes.get(Math.floorMod(message.lane().hashCode(), lanes.size())).add(message);
      }
    }
    lanes.removeIf(List::isEmpty);
    run(batch, lanes);
    if (!batch.refused.isEmpty()) {
      return new Delivery.Refused(Map.copyOf(batch.refused), Set.copyOf(batch.delivered));
    }
    if (batch.delivered.size() == messages.size()) {
      unfinished.clear();
      return new Delivery.Done();
    }
    String problem = batch.problem.get();
    return new Delivery.Unavailable(
        "%s has taken %d of %d messages, %s; the rest waits and is tried again"
            .formatted(
                settings,
                batch.delivered.size(),
                messages.size(),
                problem == null ? "and the time of a batch is over" : "and " + problem));
  }

  private void run(Batch batch, List<List<OutboxRecord>> lanes) {
    List<Future<?>> running = new ArrayList<>();
    try {
      ExecutorService executor = threads();
      for (List<OutboxRecord> lane : lanes) {
        running.add(executor.submit(() -> deliver(batch, lane)));
      }
    } catch (RejectedExecutionException e) {
      batch.problem.set("the session was closed");
    }
    for (Future<?> each : running) {
      try {
        each.get();
      } catch (InterruptedException e) {
        // The relay is closed. What is under way is given up.
        running.forEach(other -> other.cancel(true));
        batch.problem.set("the relay was interrupted");
        close();
        Thread.currentThread().interrupt();
        return;
      } catch (CancellationException e) {
        batch.problem.set("the session was closed");
      } catch (ExecutionException e) {
        batch.problem.compareAndSet(null, "a request failed: " + e.getCause());
      }
    }
  }

  private ExecutorService threads() {
    ExecutorService known = threads.get();
    if (known != null) {
      return known;
    }
    AtomicInteger number = new AtomicInteger();
    ExecutorService made =
        Executors.newFixedThreadPool(
            settings.lanes(),
            work -> {
              Thread thread =
                  new Thread(
                      work, "holdfast-webhook-" + settings.host() + "-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    threads.set(made);
    if (closed) {
      made.shutdownNow();
    }
    return made;
  }

  /** What became of one request. */
  private sealed interface Sent {
    record Delivered() implements Sent {}

    record Refused(String why) implements Sent {}

    /**
     * @param pause what the endpoint asks for, if anything
     */
    record NotNow(String why, Optional<Duration> pause) implements Sent {}
  }

  /** Round by round: what was not taken, and what waits behind it, is left for the next. */
  private void deliver(Batch batch, List<OutboxRecord> lane) {
    Backoff backoff = new Backoff(FIRST_RETRY, LONGEST_RETRY, ThreadLocalRandom.current());
    long troubledSince = Doorbell.nanos();
    Set<String> stopped = new HashSet<>();
    List<OutboxRecord> left = lane;
    try {
      while (!left.isEmpty()) {
        Set<String> held = new HashSet<>();
        List<OutboxRecord> next = new ArrayList<>();
        boolean moved = false;
        Optional<Duration> asked = Optional.empty();
        for (OutboxRecord message : left) {
          String key = message.lane();
          if (stopped.contains(key)) {
            continue;
          }
          if (held.contains(key) || batch.isOver() || asked.isPresent()) {
            held.add(key);
            next.add(message);
            continue;
          }
          Sent sent = send(message);
          if (sent instanceof Sent.Delivered) {
            unfinished.add(message);
            batch.delivered.add(message.position());
            moved = true;
          } else if (sent instanceof Sent.Refused refusal) {
            batch.refused.put(message.position(), refusal.why());
            stopped.add(key);
          } else {
            Sent.NotNow not = (Sent.NotNow) sent;
            batch.problem.set(not.why());
            held.add(key);
            next.add(message);
            asked = not.pause();
          }
        }
        left = next;
        if (moved) {
          troubledSince = Doorbell.nanos();
          backoff.reset();
        }
        if (left.isEmpty() || batch.isOver()) {
          return;
        }
        Duration wait = longer(unfinished.pause(), backoff.next());
        if (Doorbell.since(troubledSince).plus(wait).compareTo(settings.retryFor()) > 0) {
          return;
        }
        new Doorbell().await(wait);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
  }

  private Sent send(OutboxRecord message) throws InterruptedException {
    HttpRequest request;
    try {
      request = requests.of(message);
    } catch (WebhookRequests.UnsendableHeader e) {
      return new Sent.Refused(String.valueOf(e.getMessage()));
    } catch (IllegalArgumentException e) {
      // A header that the client does not send; its message names the header and the value.
      return new Sent.Refused("one of its headers is none that can be sent by HTTP");
    }
    Duration pause = unfinished.pause();
    if (!pause.isZero()) {
      return new Sent.NotNow(
          "it asked for a pause that lasts another " + seconds(pause), Optional.of(pause));
    }
    if (!breaker.tryPass(BREAKER_FAILURES, BREAKER_PAUSE)) {
      return new Sent.NotNow(
          "its host has failed so often in a row that it is left alone for "
              + seconds(BREAKER_PAUSE),
          Optional.empty());
    }
    return exchange(message, request);
  }

  private Sent exchange(OutboxRecord message, HttpRequest request) throws InterruptedException {
    CompletableFuture<HttpResponse<Void>> answer;
    try {
      answer = client.sendAsync(request, BodyHandlers.discarding());
    } catch (RuntimeException | Error e) {
      // Otherwise a probe that never began would keep its host shut for ever.
      breaker.abandoned();
      throw e;
    }
    try {
      // The request's own timeout ends with the headers; this one covers the body as well.
      HttpResponse<Void> response =
          answer.get(settings.timeout().toMillis(), TimeUnit.MILLISECONDS);
      int status = response.statusCode();
      if (status == 502 || status == 503 || status == 504) {
        breaker.failed();
      } else {
        breaker.answered();
      }
      return judge(message, response);
    } catch (TimeoutException e) {
      answer.cancel(true);
      breaker.failed();
      return new Sent.NotNow(
          "it did not answer within " + seconds(settings.timeout()), Optional.empty());
    } catch (ExecutionException e) {
      breaker.failed();
      return new Sent.NotNow("there was no answer (" + e.getCause() + ")", Optional.empty());
    } catch (InterruptedException e) {
      answer.cancel(true);
      breaker.abandoned();
      throw e;
    }
  }

  private Sent judge(OutboxRecord message, HttpResponse<Void> response) {
    int status = response.statusCode();
    if (status >= 200 && status < 300) {
      return new Sent.Delivered();
    }
    boolean passing = status == 408 || status == 409 || status == 425 || status == 429;
    if (status >= 400 && status < 500 && !passing) {
      return new Sent.Refused("the endpoint answered " + status);
    }
    if (status >= 300 && status < 400) {
      return new Sent.NotNow(
          "it answered %d; redirects are not followed, so set the address".formatted(status),
          Optional.empty());
    }
    Instant now = settings.clock().instant();
    Optional<Duration> wait =
        RetryAfter.of(response.headers(), now)
            .map(asked -> asked.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : asked);
    wait.ifPresent(unfinished::waitFor);
    if (isError(status) && wait.isEmpty() && hasFailedForTooLong(message)) {
      return new Sent.Refused(
          "the endpoint has answered it with an error for %s, %d the last time"
              .formatted(seconds(settings.parkErrorsAfter().orElseThrow()), status));
    }
    return new Sent.NotNow("it answered " + status, wait.filter(asked -> !asked.isZero()));
  }

  /** An error that may be about this message, and not about the endpoint as a whole. */
  private static boolean isError(int status) {
    return status >= 500 && status != 502 && status != 503 && status != 504;
  }

  private boolean hasFailedForTooLong(OutboxRecord message) {
    Duration failed = unfinished.failed(message);
    return settings.parkErrorsAfter().filter(most -> failed.compareTo(most) >= 0).isPresent();
  }

  private static String seconds(Duration duration) {
    return "%.1f s".formatted(duration.toMillis() / 1000.0);
  }

  @Override
  public void close() {
    closed = true;
    ExecutorService running = threads.getAndSet(null);
    if (running != null) {
      // What had not begun would never end for whoever waits for it.
      for (Runnable waiting : running.shutdownNow()) {
        if (waiting instanceof Future<?> task) {
          task.cancel(true);
        }
      }
    }
  }
}
