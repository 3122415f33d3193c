package dev.holdfast.cli.relay;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * What a program has opened. It is closed in reverse when the process is told to end (SIGTERM,
 * SIGINT), and the process then ends with status 0, or 1 when something did not close; or when the
 * program's start fails.
 */
public final class UntilSignalled implements AutoCloseable {
  /** A signal during the start waits for it, so that what is being opened is closed, too. */
  private static final Duration LONGEST_START = Duration.ofSeconds(15);

  private final Consumer<String> say;
  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final CountDownLatch started = new CountDownLatch(1);
  private final Thread hook = new Thread(this::onSignal, "holdfast-end");

  public UntilSignalled(Consumer<String> say) {
    this.say = say;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** What is to be closed; returns it. */
  public synchronized <T extends AutoCloseable> T add(T opened) {
    open.push(opened);
    return opened;
  }

  /** Everything is open. Does not return: the signal ends the process. */
  public void await() throws InterruptedException {
    started.countDown();
    new CountDownLatch(1).await();
  }

  private void onSignal() {
    try {
      started.await(LONGEST_START.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    boolean clean = closeAll();
    // The status that the signal would give says nothing of how it went.
    Runtime.getRuntime().halt(clean ? 0 : 1);
  }

  /** After a start that failed; when a signal came meanwhile, that closes. */
  @Override
  public void close() {
    started.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      return;
    }
    closeAll();
  }

  private synchronized boolean closeAll() {
    boolean clean = true;
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (Exception e) {
        clean = false;
        say.accept("holdfast: not ended cleanly: " + e.getMessage());
      }
    }
    return clean;
  }
}
