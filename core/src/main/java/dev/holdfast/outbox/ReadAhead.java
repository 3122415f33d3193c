package dev.holdfast.outbox;

import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.Page;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Reads the next page while the last one is being sent, but only while there is a backlog: reading
 * ahead of an idle channel would cost latency. At most one page is held in advance. Used by the
 * leader's thread alone.
 */
final class ReadAhead implements AutoCloseable {
  private final OutboxLog log;
  private final String channel;
  private final OutboxLog.Limit limit;
  private final @Nullable ExecutorService reader;
  private @Nullable Future<Page> ahead;
  private @Nullable Cursor aheadOf;

  ReadAhead(OutboxLog log, String channel, OutboxLog.Limit limit, Pace pace) {
    this.log = log;
    this.channel = channel;
    this.limit = limit;
    this.reader =
        switch (pace) {
          case TIMED ->
              Executors.newSingleThreadExecutor(
                  runnable -> {
                    Thread thread = new Thread(runnable, "holdfast-read-ahead-" + channel);
                    thread.setDaemon(true);
                    return thread;
                  });
          case STEPPED -> null;
        };
  }

  /** The page after the cursor. */
  Page next(Cursor after, boolean forceAdvance) throws InterruptedException {
    Page page = takeAhead(after);
    if (page == null) {
      page = log.read(channel, after, limit, forceAdvance);
    }
    if (reader != null && (page.hasNext() || page.records().size() == limit.records())) {
      Cursor end = page.end();
      aheadOf = end;
      ahead = reader.submit(() -> log.read(channel, end, limit, false));
    }
    return page;
  }

  private @Nullable Page takeAhead(Cursor after) throws InterruptedException {
    Future<Page> waiting = ahead;
    ahead = null;
    if (waiting == null || !after.equals(aheadOf)) {
      return null;
    }
    try {
      return waiting.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  @Override
  public void close() {
    if (reader != null) {
      reader.shutdownNow();
    }
  }
}
