package dev.holdfast.crashtest.resource;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** What a process waits for; the dead are not told. */
record Acknowledgment<T>(Hook hook, Future<T> real) implements Future<T> {

  @Override
  public T get() throws InterruptedException, ExecutionException {
    try {
      return real.get();
    } finally {
      hook.check();
    }
  }

  @Override
  public T get(long timeout, TimeUnit unit)
      throws InterruptedException, ExecutionException, TimeoutException {
    try {
      return real.get(timeout, unit);
    } finally {
      hook.check();
    }
  }

  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    return real.cancel(mayInterruptIfRunning);
  }

  @Override
  public boolean isCancelled() {
    return real.isCancelled();
  }

  @Override
  public boolean isDone() {
    return real.isDone();
  }
}
