package dev.holdfast.cli.demo;

import dev.holdfast.HoldfastException;
import java.io.IOException;
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
 * the same order id, until it is answered 200.
 */
final class Clients {
  private static final int CLIENTS = 16;
  private static final int CUSTOMERS = 24;
  private static final Duration RETRY_AFTER = Duration.ofMillis(20);

  /** Longer than any outage here. After it the service is taken for dead. */
  private static final Duration LONGEST_SILENCE = Duration.ofSeconds(90);

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(2))
          .build();
  private final int port;
  private final int operations;
  private final List<String> customers = new ArrayList<>();
  private final IntConsumer answeredSoFar;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger answered = new AtomicInteger();
  private final Map<String, Long> committedMicros = new ConcurrentHashMap<>();
  private volatile @Nullable Semaphore allowance;
  private volatile @Nullable RuntimeException failure;

  /**
   * @param answeredSoFar told after each answer how many there were
   */
  Clients(int port, int operations, long seed, IntConsumer answeredSoFar) {
    this.port = port;
    this.operations = operations;
    this.answeredSoFar = answeredSoFar;
    Random random = new Random(seed);
    for (int index = 0; index < operations; index++) {
      customers.add("customer-" + random.nextInt(CUSTOMERS));
    }
  }

  /** Places all orders; returns when each is answered. */
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
        if (number >= operations) {
          return;
        }
        place("order-" + number, customers.get(number));
        answeredSoFar.accept(answered.incrementAndGet());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      failure = e;
    }
  }

  private void place(String id, String customer) throws InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(
                URI.create(
                    "http://127.0.0.1:%d/orders?id=%s&customer=%s".formatted(port, id, customer)))
            .timeout(Duration.ofSeconds(10))
            .POST(HttpRequest.BodyPublishers.noBody())
            .build();
    Timing.Stopwatch silence = Timing.start();
    while (!silence.hasPassed(LONGEST_SILENCE) && failure == null) {
      try {
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() == 200) {
          if (!response.body().isEmpty()) {
            committedMicros.put(id, Long.parseLong(response.body()));
          }
          return;
        }
      } catch (IOException e) {
        // The service was killed, or is not up again: what the demo is about. The order may or may
        // not have been placed; asking again with the same id is the client's only way to know.
        Thread.onSpinWait();
      }
      Timing.pause(RETRY_AFTER);
    }
    throw new HoldfastException(
        "The order service has not answered for %d s, so the demo was ended. What follows is the end of its log."
            .formatted(LONGEST_SILENCE.toSeconds()));
  }
}
