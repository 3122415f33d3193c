package dev.holdfast.internal.workflow;

import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.Entry.Kind;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What the journal has of one step. Filled when the journal is read, and not changed then. */
final class Recorded {
  private final int seq;
  private final int generation;
  private @Nullable Entry intent;
  private @Nullable Entry doubt;
  private @Nullable Entry end;
  private @Nullable Entry wait;
  private @Nullable Instant firstIntent;
  private @Nullable Instant begunAt;
  private boolean open;
  private int attempts;
  private int undoAttempts;
  private boolean undone;

  Recorded(int seq, int generation) {
    this.seq = seq;
    this.generation = generation;
  }

  void add(Entry entry) {
    begunAt = begunAt == null ? entry.at() : begunAt;
    switch (entry.kind()) {
      case INTENT -> {
        firstIntent = firstIntent == null ? since(entry) : firstIntent;
        intent = entry;
        open = true;
        doubt = null;
      }
      case RESULT, REJECTED, UNKNOWN -> end = entry;
      case ATTEMPT -> {
        attempts++;
        open = false;
        intent = null;
        doubt = null;
        firstIntent = null;
      }
      case REPEAT -> {
        attempts++;
        open = true;
        intent = null;
        doubt = null;
        firstIntent = firstIntent == null ? since(entry) : firstIntent;
      }
      case DOUBT -> doubt = entry;
      case WAIT, CHILD -> wait = entry;
      case UNDONE, UNDO_SKIPPED -> undone = true;
      case UNDO_ATTEMPT -> undoAttempts++;
      case PIVOT, PATCH, UNWINDING, RESUMED, RESTARTED, COMPLETED, FAILED, CANCELLED, FOREIGN -> {}
    }
  }

  /** A person lets the run go on: what was tried does not count any more. */
  void forgetAttempts() {
    attempts = 0;
    undoAttempts = 0;
  }

  /** It is to be done all the same: it has had no effect. */
  void reopen() {
    end = null;
    intent = null;
    doubt = null;
    open = false;
    firstIntent = null;
  }

  /** One that was not recorded in time says since when it may have been attempted. */
  private static Instant since(Entry intent) {
    String note = intent.note();
    return note == null ? intent.at() : Instant.parse(note.split(" ", 2)[0]);
  }

  /** When it was begun, among the run's entries. */
  int seq() {
    return seq;
  }

  /** How often the run had been restarted when it was begun. */
  int generation() {
    return generation;
  }

  /** When that was recorded. */
  Instant begunAt() {
    return Objects.requireNonNull(begunAt);
  }

  /** Whether an attempt may have had an effect that is not known. */
  boolean isOpen() {
    return open;
  }

  /** Whether that is an attempt that is not counted yet. */
  boolean isInterrupted() {
    return intent != null;
  }

  /** Since when an effect may be there; {@code null} when none was ever attempted. */
  @Nullable Instant firstAttempt() {
    return firstIntent;
  }

  /** When what is not seen is a no; {@code null} when nobody has asked yet. */
  @Nullable Instant settlesAt() {
    return doubt == null || doubt.note() == null ? null : Instant.parse(doubt.note());
  }

  /** How it has ended. */
  @Nullable Entry end() {
    return end;
  }

  /** That it waits, or has started a child. */
  @Nullable Entry waiting() {
    return wait;
  }

  /** Until when it waits. */
  Instant waitsUntil() {
    if (wait == null || wait.note() == null) {
      throw new IllegalStateException("The journal has no wait at entry " + seq + ".");
    }
    return Instant.parse(wait.note());
  }

  int attempts() {
    return attempts;
  }

  int undoAttempts() {
    return undoAttempts;
  }

  boolean isUndone() {
    return undone;
  }

  boolean is(Kind kind) {
    return end != null && end.kind() == kind;
  }
}
