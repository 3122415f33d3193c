package dev.holdfast.crashtest.resource;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** An answer that never comes; whoever waits for it is told on. */
final class Withheld<T> extends CompletableFuture<T> {
  private final Runnable onWaiting;

  Withheld(Runnable onWaiting) {
    this.onWaiting = onWaiting;
  }

  @Override
  public T get() throws InterruptedException, ExecutionException {
    onWaiting.run();
    return super.get();
  }

  @Override
  public T get(long timeout, TimeUnit unit)
      throws InterruptedException, ExecutionException, TimeoutException {
    onWaiting.run();
    return super.get(timeout, unit);
  }

  @Override
  public T join() {
    onWaiting.run();
    return super.join();
  }
}
