package dev.holdfast.internal.workflow;

import dev.holdfast.HoldfastException;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.workflow.store.WorkflowStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets any number of threads wait for the ends of runs. Those that are executed in this process say
 * so themselves; one thread asks for all others together, the less often the longer nothing
 * happens. Thread-safe.
 */
public final class Results implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Results.class);

  private static final int AT_ONCE = 1_000;
  private static final Duration IDLE = Duration.ofSeconds(1);

  private final WorkflowStore store;
  private final Map<String, Waiting> waiting = new ConcurrentHashMap<>();

  /** Those that are executed in this process. */
  private final Set<String> here = ConcurrentHashMap.newKeySet();

  private final Doorbell asked = new Doorbell();
  private final Thread thread;
  private volatile boolean closing;
  private boolean begun;

  public Results(WorkflowStore store) {
    this.store = store;
    this.thread = Threads.daemon("holdfast-workflow-results", this::look);
  }

  /** A run may have ended elsewhere. */
  public void ring(String id) {
    if (waiting.containsKey(id)) {
      asked.ring();
    }
  }

  /** This process begins to execute a run. */
  void begun(String id) {
    here.add(id);
  }

  /** It has left it. Whoever has begun to wait before finds that it is not here any more. */
  void left(String id, Ended how) {
    here.remove(id);
    if (how.status().isFinal()) {
      tell(id, how);
    } else {
      ring(id);
    }
  }

  private void tell(String id, Ended how) {
    Waiting those = waiting.remove(id);
    if (those != null) {
      those.ended.complete(how);
    }
  }

  /**
   * @return empty when it has not ended in time, or there is none of that id
   */
  public Optional<Ended> await(String id, Duration atMost) throws InterruptedException {
    begin();
    Waiting ours =
        waiting.compute(id, (same, there) -> there == null ? new Waiting() : there.oneMore());
    if (!here.contains(id)) {
      asked.ring();
    }
    try {
      return Optional.of(ours.ended.get(atMost.toNanos(), TimeUnit.NANOSECONDS));
    } catch (TimeoutException e) {
      return Optional.empty();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } finally {
      waiting.computeIfPresent(id, (same, there) -> there == ours ? there.oneLess() : there);
    }
  }

  /** Those who wait for one run; changed under the map's lock on its id alone. */
  private static final class Waiting {
    final CompletableFuture<Ended> ended = new CompletableFuture<>();
    int number = 1;

    Waiting oneMore() {
      number++;
      return this;
    }

    /** Null when nobody is left. */
    @Nullable Waiting oneLess() {
      number--;
      return number == 0 ? null : this;
    }
  }

  private synchronized void begin() {
    if (!begun) {
      begun = true;
      thread.start();
    }
  }

  private void look() {
    Backoff backoff =
        new Backoff(Duration.ofMillis(5), Duration.ofMillis(500), ThreadLocalRandom.current());
    try {
      while (!closing) {
        boolean rung = asked.await(waiting.isEmpty() ? IDLE : backoff.next());
        if (rung) {
          backoff.reset();
        }
        try {
          // Now and then also those that are here: one may have been taken over, and its call hang.
          answer(!rung);
        } catch (HoldfastException e) {
          // Asked again; who waits has a time of its own.
          asked.await(Duration.ofMillis(500));
        } catch (RuntimeException | Error e) {
          // Without this thread nobody would learn of an end elsewhere any more.
          log.error("results of workflows: unexpected, looked for again", e);
          asked.await(Duration.ofMillis(500));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void answer(boolean all) {
    List<String> ids = waiting.keySet().stream().filter(id -> all || !here.contains(id)).toList();
    for (int from = 0; from < ids.size(); from += AT_ONCE) {
      store
          .statuses(ids.subList(from, Math.min(ids.size(), from + AT_ONCE)))
          .forEach(
              (id, status) -> {
                if (status.status().isFinal()) {
                  tell(id, new Ended(status.status(), status.value(), status.reason()));
                }
              });
    }
  }

  @Override
  public void close() {
    closing = true;
    asked.ring();
  }
}
