package dev.holdfast.projection;

import dev.holdfast.eventlog.EventPage;
import dev.holdfast.eventlog.EventReader;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Reads the next page while the last one is being applied, but only while there is a backlog. At
 * most one page is held in advance. Used by one thread.
 */
final class PagesAhead implements AutoCloseable {
  private final EventReader reader;
  private final int limit;
  private final ExecutorService thread;
  private @Nullable Future<EventPage> ahead;

  PagesAhead(EventReader reader, int limit, String name) {
    this.reader = reader;
    this.limit = limit;
    // Its thread begins with the first page that is full.
    this.thread =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread made = new Thread(task, name);
              made.setDaemon(true);
              return made;
            });
  }

  /** As {@link EventReader#next(int, Duration)}. */
  EventPage next(Duration atMost) throws InterruptedException {
    EventPage page = takeAhead();
    if (page == null || page.events().isEmpty()) {
      page = reader.next(limit, atMost);
    }
    if (page.events().size() == limit) {
      ahead = thread.submit(() -> reader.next(limit));
    }
    return page;
  }

  private @Nullable EventPage takeAhead() throws InterruptedException {
    Future<EventPage> waiting = ahead;
    ahead = null;
    if (waiting == null) {
      return null;
    }
    try {
      return waiting.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
