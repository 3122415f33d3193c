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
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The order service's clients: each places one order after the other, with a pause for thought, and
 * repeats a request, with the same order id and at each instance in turn, until it is answered 200.
 * Some are impatient: they do not ask again when the connection breaks while the service works on
 * their order, and never learn what became of it.
 */
final class Clients {
  private static final int CLIENTS = 16;
  private static final int CUSTOMERS = 24;

  /** One client in so many is impatient. */
  private static final int IMPATIENT = 4;

  /**
   * Clients that ask without a pause would take the processor from an instance that starts again,
   * and measure that.
   */
  private static final int LONGEST_THOUGHT_MS = 120;

  private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);
  private static final Duration RETRY_AFTER = Duration.ofMillis(20);

  private static final Duration RECONNECT_AFTER = Duration.ofMillis(100);

  /** Longer than any outage here. After it the service is taken for dead. */
  private static final Duration LONGEST_SILENCE = Duration.ofSeconds(90);

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(2))
          .build();
  private final List<Integer> ports;
  private final List<Request> requests = new ArrayList<>();
  private final IntConsumer endedSoFar;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();
  private volatile @Nullable Semaphore allowance;
  private volatile @Nullable RuntimeException failure;

  private record Request(String order, String customer, Duration thought, boolean impatient) {
    HttpRequest to(int port) {
      return HttpRequest.newBuilder(
              URI.create(
                  "http://127.0.0.1:%d/orders?id=%s&customer=%s".formatted(port, order, customer)))
          .timeout(LONGEST_WAIT)
          .POST(HttpRequest.BodyPublishers.noBody())
          .build();
    }
  }

  /**
   * @param endedSoFar told after each request, answered or given up, how many there were
   */
  Clients(List<Integer> ports, int operations, long seed, IntConsumer endedSoFar) {
    this.ports = ports;
    this.endedSoFar = endedSoFar;
    Random random = new Random(seed);
    for (int index = 0; index < operations; index++) {
      requests.add(
          new Request(
              "order-" + index,
              "customer-" + random.nextInt(CUSTOMERS),
              Duration.ofMillis(random.nextInt(LONGEST_THOUGHT_MS)),
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
   * broker, or search engine, to take orders would otherwise take all of them during its outage.
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
        Request request = requests.get(number);
        Timing.pause(request.thought());
        place(request, number);
        endedSoFar.accept(ended.incrementAndGet());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      failure = e;
    }
  }

  private void place(Request order, int number) throws InterruptedException {
    Timing.Stopwatch silence = Timing.start();
    for (int attempt = 0; !silence.hasPassed(LONGEST_SILENCE) && failure == null; attempt++) {
      int port = ports.get((number + attempt) % ports.size());
      Duration wait = RETRY_AFTER;
      try {
        if (http.send(order.to(port), HttpResponse.BodyHandlers.discarding()).statusCode() == 200) {
          return;
        }
      } catch (ConnectException e) {
        // This instance is down, and has not seen the request.
        wait = RECONNECT_AFTER;
      } catch (IOException e) {
        // The instance was killed under the request. The order may or may not have been placed;
        // asking again with the same id is the client's only way to know.
        if (order.impatient()) {
          return;
        }
      }
      boolean allAsked = (attempt + 1) % ports.size() == 0;
      Timing.pause(allAsked ? wait : Duration.ZERO);
    }
    throw new HoldfastException(
        "The order service has not answered for %d s, so the demo was ended. What follows is the end of its log."
            .formatted(LONGEST_SILENCE.toSeconds()));
  }
}
