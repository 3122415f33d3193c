package dev.holdfast.cli.demo;

import dev.holdfast.HoldfastException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The order service's clients: each places one order after the other, and repeats a request, with
 * the same order id, until it is answered 200. Some are impatient: they do not ask again when the
 * connection breaks while the service works on their order, and never learn what became of it.
 */
final class Clients {
  private static final int CLIENTS = 16;
  private static final int CUSTOMERS = 24;

  /** One client in so many is impatient. */
  private static final int IMPATIENT = 4;

  private static final Duration RETRY_AFTER = Duration.ofMillis(20);

  /** While nobody listens, asking more often would only take the processor from the restart. */
  private static final Duration RECONNECT_AFTER = Duration.ofMillis(100);

  /** Longer than any outage here. After it the service is taken for dead. */
  private static final Duration LONGEST_SILENCE = Duration.ofSeconds(90);

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(2))
          .build();
  private final int port;
  private final List<Request> requests = new ArrayList<>();
  private final IntConsumer endedSoFar;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();
  private final Map<String, Long> committedMicros = new ConcurrentHashMap<>();
  private volatile @Nullable Semaphore allowance;
  private volatile @Nullable RuntimeException failure;

  private record Request(String order, String customer, boolean impatient) {
    URI to(int port) {
      return URI.create(
          "http://127.0.0.1:%d/orders?id=%s&customer=%s".formatted(port, order, customer));
    }
  }

  /**
   * @param endedSoFar told after each request, answered or given up, how many there were
   */
  Clients(int port, int operations, long seed, IntConsumer endedSoFar) {
    this.port = port;
    this.endedSoFar = endedSoFar;
    Random random = new Random(seed);
    for (int index = 0; index < operations; index++) {
      requests.add(
          new Request(
              "order-" + index,
              "customer-" + random.nextInt(CUSTOMERS),
              random.nextInt(IMPATIENT) == 0));
    }
  }

  /** Places all orders; returns when each is answered or given up. */
  void run() throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int index = 0; index < CLIENTS; index++) {
      Thread thread = new Thread(this::work, "client-" + index);
      thread.setDaemon(true);
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    if (failure != null) {
      throw failure;
    }
  }

  /**
   * From now on only so many orders are begun, until {@link #unlimited}: a strategy that needs no
   * broker to take orders would otherwise take all of them during the broker's outage.
   */
  void limitTo(int orders) {
    allowance = new Semaphore(orders);
  }

  void unlimited() {
    Semaphore limited = allowance;
    allowance = null;
    if (limited != null) {
      limited.release(CLIENTS);
    }
  }

  /** When each order was committed, as far as its client was told. */
  Map<String, Long> committedMicros() {
    return committedMicros;
  }

  private void work() {
    try {
      while (failure == null) {
        Semaphore limited = allowance;
        if (limited != null) {
          limited.acquire();
        }
        int number = next.getAndIncrement();
        if (number >= requests.size()) {
          return;
        }
        place(requests.get(number));
        endedSoFar.accept(ended.incrementAndGet());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      failure = e;
    }
  }

  private void place(Request order) throws InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(order.to(port))
            .timeout(Duration.ofSeconds(10))
            .POST(HttpRequest.BodyPublishers.noBody())
            .build();
    Timing.Stopwatch silence = Timing.start();
    while (!silence.hasPassed(LONGEST_SILENCE) && failure == null) {
      Duration wait = RETRY_AFTER;
      try {
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() == 200) {
          if (!response.body().isEmpty()) {
            committedMicros.put(order.order(), Long.parseLong(response.body()));
          }
          return;
        }
      } catch (ConnectException e) {
        // The service is not up again: it has not seen this request.
        wait = RECONNECT_AFTER;
      } catch (IOException e) {
        // The service was killed under the request. The order may or may not have been placed;
        // asking again with the same id is the client's only way to know.
        if (order.impatient()) {
          return;
        }
      }
      Timing.pause(wait);
    }
    throw new HoldfastException(
        "The order service has not answered for %d s, so the demo was ended. What follows is the end of its log."
            .formatted(LONGEST_SILENCE.toSeconds()));
  }
}
