package dev.holdfast.crashtest.resource;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A broker's address as one process knows it, for clients that the lab does not make and so cannot
 * end. Brokers say where they are to be reached, so that one process after the other has the same
 * relay; a client that outlived its process would go on when the network does. Hence that waits.
 */
public final class KafkaAddress implements Fence {
  private static final Duration CLOSING = Duration.ofSeconds(15);

  private final KafkaBroker broker;
  private final CompletableFuture<?> closed;

  private KafkaAddress(KafkaBroker broker, CompletableFuture<?> closed) {
    this.broker = broker;
    this.closed = closed;
  }

  /**
   * The address for a process.
   *
   * @param closed completed when the process has closed its clients
   */
  public static String of(Hook hook, KafkaBroker broker, CompletableFuture<?> closed) {
    hook.check();
    hook.fence(new KafkaAddress(broker, closed));
    return broker.forProcesses();
  }

  @Override
  public void cut() {
    broker.cut();
  }

  @Override
  public void end() {
    // The clients are not known here.
  }

  @Override
  public void reopen() {
    try {
      closed.get(CLOSING.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      // Whoever does not close in that time does not do so in order either.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    broker.restore();
  }

  @Override
  public void close() {
    // The process has closed its clients itself.
  }
}
