package dev.holdfast.crashtest.resource;

import dev.holdfast.devservices.TcpRelay;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Loses the answer of a Kafka request without reading the protocol. A client sends from a thread of
 * its own, over connections that it shares with other requests, so that no order to lose "the next
 * answer" would hit the right one. Instead all bytes are delayed for a while, the broker is watched
 * from outside, and when the effect is there, the network is cut: the answer was still under way.
 */
final class KafkaAnswers {
  private static final Duration DELAY = Duration.ofMillis(150);
  private static final Duration EFFECT = Duration.ofSeconds(10);
  private static final long LOOK_NANOS = 500_000;

  /** Looks at the broker. */
  interface Look extends AutoCloseable {
    /** Something that changes when the effect is there. */
    Object now();

    @Override
    void close();
  }

  private KafkaAnswers() {}

  /**
   * Runs a request, and returns what it returned, once the answer is lost.
   *
   * @param answered whether the client has been told already
   */
  static <T, E extends Exception> T lose(
      KafkaBroker broker, Look look, Wire.Request<T, E> request, Answered<T> answered) throws E {
    TcpRelay relay = broker.relay();
    if (relay == null) {
      look.close();
      throw new UnsupportedOperationException(
          "The broker at %s is not behind a relay. Use KafkaBroker.of or behind."
              .formatted(broker.direct()));
    }
    Object before = look.now();
    Told<T> told = new Told<>(answered);
    relay.delay(DELAY);
    CompletableFuture<String> watching =
        CompletableFuture.supplyAsync(() -> cutWhenDone(relay, look, before, told));
    try {
      T result = request.run();
      told.result = result;
      return result;
    } finally {
      String problem = outcome(watching);
      relay.delay(Duration.ZERO);
      look.close();
      if (!problem.isEmpty()) {
        fail(problem);
      }
    }
  }

  /** Whether a client knows the answer. */
  interface Answered<T> {
    boolean isTold(@Nullable T result);
  }

  private static final class Told<T> {
    private final Answered<T> answered;
    private volatile @Nullable T result;

    Told(Answered<T> answered) {
      this.answered = answered;
    }

    boolean already() {
      return answered.isTold(result);
    }
  }

  private static String cutWhenDone(TcpRelay relay, Look look, Object before, Told<?> told) {
    long start = System.nanoTime();
    while (look.now().equals(before)) {
      if (System.nanoTime() - start > EFFECT.toNanos()) {
        return "No effect was seen within " + EFFECT.toSeconds() + " s.";
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
    boolean early = told.already();
    relay.cut();
    // At once: the client asks again, and the request does not return before it has been answered.
    relay.delay(Duration.ZERO);
    relay.restore();
    return early ? "The answer was faster than the lab." : "";
  }

  private static String outcome(CompletableFuture<String> watching) {
    try {
      return watching.get(EFFECT.toMillis() * 2, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "Interrupted.";
    } catch (ExecutionException | TimeoutException e) {
      return "The broker could not be watched: " + e;
    }
  }

  private static void fail(String problem) {
    throw new IllegalStateException(problem);
  }
}
