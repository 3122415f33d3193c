package dev.holdfast.internal.workflow;

import dev.holdfast.internal.Doorbell;
import dev.holdfast.workflow.WorkflowListener;
import dev.holdfast.workflow.WorkflowListener.Executing;
import dev.holdfast.workflow.WorkflowListener.Outcome;
import dev.holdfast.workflow.WorkflowListener.StepEnd;
import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.Entry.Kind;
import dev.holdfast.workflow.store.WorkflowStore.Claimed;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Tells a listener what becomes of a run's steps, when that is committed: what is noted before is
 * how long they took. Thread-safe.
 */
final class Watch {
  static final Watch NOTHING = new Watch(Executing.IGNORED);

  /** Begins the name of a step that is being undone; no step's name has it. */
  private static final String UNDO = "#undo ";

  private final Executing told;
  private final Map<String, Timing> timings = new ConcurrentHashMap<>();

  /** Of one step; the thread that runs the step writes it. */
  private static final class Timing {
    final long begun = Doorbell.nanos();
    final Duration before;
    final AtomicInteger failures;
    volatile long ended = begun;

    Timing(Duration before, int failures) {
      this.before = before;
      this.failures = new AtomicInteger(failures);
    }
  }

  private Watch(Executing told) {
    this.told = told;
  }

  static Watch over(Claimed run, WorkflowListener listener) {
    Executing told =
        listener.executing(
            new WorkflowListener.Run(
                run.id(),
                run.name(),
                run.version(),
                run.operationId(),
                run.attributes(),
                run.orphanSince() != null));
    return told == Executing.IGNORED ? NOTHING : new Watch(told);
  }

  private boolean isIdle() {
    return told == Executing.IGNORED;
  }

  /** A step does something that is not recorded; again, perhaps. */
  void begins(String step, Optional<Recorded> recorded, Instant now) {
    if (!isIdle() && !timings.containsKey(step)) {
      Duration before =
          recorded.map(known -> Duration.between(known.begunAt(), now)).orElse(Duration.ZERO);
      timings.put(
          step,
          new Timing(
              before.isNegative() ? Duration.ZERO : before,
              recorded.map(Recorded::attempts).orElse(0)));
    }
  }

  void beginsToUndo(String step, int failures) {
    if (!isIdle()) {
      timings.putIfAbsent(UNDO + step, new Timing(Duration.ZERO, failures));
    }
  }

  /** Something has been found out; it is not committed yet. */
  void noted(Entry entry) {
    if (isIdle()) {
      return;
    }
    switch (entry.kind()) {
      // A former executor's attempt may be judged before the step begins here.
      case ATTEMPT, REPEAT, UNDO_ATTEMPT ->
          timings
              .computeIfAbsent(nameOf(entry), name -> new Timing(Duration.ZERO, 0))
              .failures
              .incrementAndGet();
      default -> {
        Timing timing = timings.get(nameOf(entry));
        if (timing != null) {
          timing.ended = Doorbell.nanos();
        }
      }
    }
  }

  private static String nameOf(Entry entry) {
    return entry.kind() == Kind.UNDONE || entry.kind() == Kind.UNDO_ATTEMPT
        ? UNDO + entry.step()
        : entry.step();
  }

  /** These are committed. */
  void recorded(List<Entry> entries) {
    if (!isIdle()) {
      entries.forEach(this::recorded);
    }
  }

  /** These are committed in a transaction that has ended by now, one of them as its record. */
  void recordedBy(List<Entry> entries, Entry record) {
    if (!isIdle()) {
      noted(record);
      recorded(entries);
    }
  }

  private void recorded(Entry entry) {
    switch (entry.kind()) {
      case RESULT -> ended(entry, Outcome.RESULT);
      case REJECTED -> ended(entry, Outcome.REJECTED);
      case UNKNOWN -> ended(entry, Outcome.UNKNOWN);
      case UNDONE -> ended(entry, Outcome.UNDONE);
      case UNWINDING -> told.unwinding(String.valueOf(entry.note()));
      default -> {}
    }
  }

  private void ended(Entry entry, Outcome outcome) {
    Timing timing = timings.remove(nameOf(entry));
    if (timing != null) {
      told.stepEnded(
          new StepEnd(
              entry.step(),
              outcome,
              timing.failures.get() + 1,
              timing.before.plusNanos(timing.ended - timing.begun),
              Doorbell.since(timing.ended),
              entry.note()));
    }
  }

  void left(Ended how) {
    told.left(how.status(), how.reason());
  }

  @Override
  public String toString() {
    return "watch of " + told;
  }
}
