package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.Fault;
import dev.holdfast.crashtest.resource.Commit;
import dev.holdfast.crashtest.resource.CommitAction;
import dev.holdfast.crashtest.resource.DeferredAction;
import dev.holdfast.crashtest.resource.Fence;
import dev.holdfast.crashtest.resource.Hook;
import dev.holdfast.crashtest.resource.ProcessCrashed;
import dev.holdfast.crashtest.resource.Site;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One life of the process under test: what was made for it, and whether it is alive.
 *
 * <p>The crash. Whoever comes to the planned point first declares the death; from then on {@link
 * #check} fails, so that nothing new begins. Then the network is cut, so that nothing under way or
 * buffered leaves; then clients and connections are ended. Only when all that is done may anybody
 * learn of the crash ({@link #crashed}), and only after that does the next life begin. A call that
 * passed {@code check} just before is the one that a real crash may or may not have let through.
 */
final class Incarnation implements Hook {
  /** What a forked JVM ends with, as if it had been killed. */
  static final int CRASH_STATUS = 137;

  private static final int CALLS_OF_THE_DEAD = 50;
  private static final Duration HELD_BACK = Duration.ofMillis(500);
  private static final Duration BURIAL = Duration.ofSeconds(20);

  private static final Duration STOPPING = Duration.ofSeconds(30);

  private enum State {
    ALIVE,
    CRASHED,
    /** Its own code closes what it has; that may still use everything. */
    STOPPING,
    STOPPED
  }

  private final Trace trace;
  private final @Nullable Carrier carrier;
  private final List<Fence> fences = new CopyOnWriteArrayList<>();
  private final List<AutoCloseable> closing = new CopyOnWriteArrayList<>();
  private final AtomicReference<State> state = new AtomicReference<>(State.ALIVE);
  private final CompletableFuture<Void> crashed = new CompletableFuture<>();
  private final CompletableFuture<Void> buried = new CompletableFuture<>();
  private final Map<Thread, AtomicInteger> callsOfTheDead = new ConcurrentHashMap<>();
  private final Queue<Runnable> outstanding = new ConcurrentLinkedQueue<>();
  private volatile String crashedAt = "";

  Incarnation(Trace trace, @Nullable Carrier carrier) {
    this.trace = trace;
    this.carrier = carrier;
  }

  @Override
  public void check() {
    if (!isDead()) {
      return;
    }
    // A loop that catches everything and goes on would take a processor for itself.
    AtomicInteger calls =
        callsOfTheDead.computeIfAbsent(Thread.currentThread(), thread -> new AtomicInteger());
    if (calls.incrementAndGet() > CALLS_OF_THE_DEAD) {
      Await.done(buried, BURIAL);
    }
    throw death();
  }

  /**
   * What ends a thread of the dead. Nothing is printed for that: a real crash is silent, and what a
   * thread that catches nothing ends with would be reported as an error of the program.
   */
  private ProcessCrashed death() {
    SilentDeath.of(Thread.currentThread());
    return new ProcessCrashed(crashedAt);
  }

  @Override
  public boolean isDead() {
    State now = state.get();
    return now == State.CRASHED || now == State.STOPPED;
  }

  boolean isCrashed() {
    return state.get() == State.CRASHED;
  }

  @Override
  public boolean losesAnswers() {
    return carrier == Carrier.LOST_ACK;
  }

  @Override
  public <T, E extends Exception> T commit(Commit commit, CommitAction<T, E> action) throws E {
    check();
    Trace.Begun begun = trace.begin(commit, Site.current(), action instanceof DeferredAction);
    Fault fault = begun.fault();
    if (fault == null) {
      return performAlive(begun, action);
    }
    if (carrier == Carrier.LOST_ACK) {
      return loseAnswer(fault, action);
    }
    settle();
    switch (fault.stage()) {
      case BEFORE -> {}
      case BUFFERED -> {
        // Planned at points that were deferred in the golden run only.
        return withhold(fault, (DeferredAction<T, E>) action);
      }
      case ACK_LOST -> {
        T answer = action.perform();
        if (!action.awaitEffect(answer)) {
          trace.problem(
              "The effect of "
                  + fault
                  + " did not happen, so its acknowledgment could not be lost.");
        }
      }
      case AFTER_LAST, REPLY_LOST -> throw new IllegalStateException("Not made here: " + fault);
    }
    crash(fault.toString());
    throw death();
  }

  /**
   * Waits until what was handed to clients has taken effect. Without that it would be left to
   * chance whether a crash finds it sent or not; that it is not is a run of its own.
   */
  void settle() {
    for (Runnable each = outstanding.poll(); each != null; each = outstanding.poll()) {
      each.run();
    }
  }

  /** The client holds it back until the code waits for it, or has gone on for a while. */
  private <T, E extends Exception> T withhold(Fault fault, DeferredAction<T, E> action) {
    LabThread.inBackground(
        "withholding",
        () -> {
          Await.done(crashed, HELD_BACK);
          crash(fault.toString());
        });
    return action.withhold(
        () -> {
          crash(fault.toString());
          check();
        });
  }

  private <T, E extends Exception> T performAlive(Trace.Begun begun, CommitAction<T, E> action)
      throws E {
    try {
      T answer = action.perform();
      trace.complete(begun);
      if (action instanceof DeferredAction) {
        outstanding.add(() -> action.awaitEffect(answer));
      }
      return answer;
    } finally {
      // Whatever came of it, the dead are not told.
      check();
    }
  }

  private <T, E extends Exception> T loseAnswer(Fault fault, CommitAction<T, E> action) throws E {
    try {
      T answer = action.performLosingAnswer();
      if (action.awaitEffect(answer)) {
        trace.note("The client library absorbed it: it asked again by itself, and was answered.");
      }
      return answer;
    } catch (UnsupportedOperationException | IllegalStateException e) {
      trace.problem("There was no " + fault.describe(Carrier.LOST_ACK) + ". " + e.getMessage());
      throw e;
    }
  }

  @Override
  public void fence(Fence fence) {
    fences.add(fence);
    if (isDead()) {
      fence.cut();
      fence.end();
      check();
    }
  }

  /** Closed when the process stops in order, in reverse order of registration. */
  void onStop(AutoCloseable closeable) {
    closing.add(0, closeable);
  }

  /** Crashes the process, unless it has ended already; returns when nothing of it can leave. */
  void crash(String where) {
    if (state.compareAndSet(State.ALIVE, State.CRASHED)) {
      crashedAt = where;
      if (carrier == Carrier.FORKED) {
        Runtime.getRuntime().halt(CRASH_STATUS);
      }
      each(Fence::cut);
      each(Fence::end);
      crashed.complete(null);
    }
  }

  /** Every fence, even if one fails; then the run must not be believed. */
  private void each(Consumer<Fence> step) {
    for (Fence fence : fences) {
      try {
        step.accept(fence);
      } catch (RuntimeException e) {
        trace.problem("A resource could not be taken from the process: " + e.getMessage());
      }
    }
  }

  /** Completed when the process has crashed and its fences hold. */
  CompletableFuture<Void> crashed() {
    return crashed;
  }

  /**
   * Clears away what a dead process has left in this JVM, which no real one leaves: threads and
   * memory. Its own code may run for that, fenced. Then lets the network serve the next one.
   */
  void bury() {
    buried.complete(null);
    LabThread.inBackground("burial", this::closeAll);
    each(Fence::reopen);
  }

  /** Stops the process in order. What it leaves running has no effect any more either. */
  void stop() {
    if (!state.compareAndSet(State.ALIVE, State.STOPPING)) {
      bury();
      return;
    }
    if (!Await.done(LabThread.inBackground("stopping", this::closeAll), STOPPING)) {
      trace.note("The application did not close within " + Words.of(STOPPING) + ".");
    }
    crashedAt = "at the end of the run";
    state.set(State.STOPPED);
    each(Fence::close);
    buried.complete(null);
  }

  private void closeAll() {
    for (AutoCloseable closeable : closing) {
      try {
        closeable.close();
      } catch (Throwable e) {
        if (!isDead()) {
          trace.note("Closing failed: " + e);
        }
      }
    }
  }
}
