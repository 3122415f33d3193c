package dev.holdfast.crashtest.workflow;

import java.util.ArrayList;
import java.util.List;

/**
 * A process that can execute the run, and what it knows of it. What it knows dies with it, and
 * after that it is another process.
 *
 * @param leaseOver whether its number has expired; it finds that out when it looks
 * @param step where it is in the function, or what it is undoing
 * @param base how many entries of the journal it knows
 * @param attempts of the call that it is at
 * @param open whether an attempt of that call may have had an effect that is not known
 * @param doubt since the last attempt of that call
 * @param asked whether it has asked what became of it
 * @param pending found out and not recorded
 * @param undos in the order of beginning
 * @param cancelled whether it knows that the run is to be cancelled
 * @param why why it is undoing
 */
record Executor(
    At at,
    boolean leaseOver,
    int step,
    int base,
    int attempts,
    boolean open,
    Doubt doubt,
    boolean asked,
    List<Line> pending,
    List<Undo> undos,
    boolean cancelled,
    Why why) {

  /** What it does next, or waits for. */
  enum At {
    FREE,
    /** It has claimed the run and does not know its journal. */
    READ,
    /** The reply to an append, which says what it was for. */
    INTEND,
    FLUSH,
    PARK,
    STICK,
    UNWIND,
    END,
    /** The reply to a transaction, or to what was put in its place. */
    TRANSACT,
    SETTLE,
    /** Looks at its lease, and calls. */
    INTENDED,
    CALL,
    /** The answer. */
    CALLED,
    /** A wait before another attempt. */
    PAUSE,
    ASK,
    FLUSHED,
    UNDO_CALL,
    UNDO_CALLED,
    UNDO_PAUSE
  }

  /** Until when what is not seen may still come. */
  enum Doubt {
    NONE,
    RUNS,
    OVER
  }

  /** Why the run is given up. */
  enum Why {
    GOES_ON,
    FAILED,
    CANCELLED
  }

  static final Executor FREE =
      new Executor(
          At.FREE,
          false,
          0,
          0,
          0,
          false,
          Doubt.NONE,
          false,
          List.of(),
          List.of(),
          false,
          Why.GOES_ON);

  static String name(int index) {
    return "executor " + (index + 1);
  }

  Executor at(At value) {
    return new Executor(
        value, leaseOver, step, base, attempts, open, doubt, asked, pending, undos, cancelled, why);
  }

  Executor expire() {
    return new Executor(
        at, true, step, base, attempts, open, doubt, asked, pending, undos, cancelled, why);
  }

  /** Comes to a step, of which it knows nothing. */
  Executor step(int value) {
    return call(value, 0, false, Doubt.NONE, false);
  }

  Executor call(int number, int tried, boolean isOpen, Doubt inDoubt, boolean hasAsked) {
    return new Executor(
        at, leaseOver, number, base, tried, isOpen, inDoubt, hasAsked, pending, undos, cancelled,
        why);
  }

  Executor base(int value) {
    return new Executor(
        at, leaseOver, step, value, attempts, open, doubt, asked, pending, undos, cancelled, why);
  }

  Executor recorded(int size, boolean isCancelled) {
    return new Executor(
        at,
        leaseOver,
        step,
        size,
        attempts,
        open,
        doubt,
        asked,
        List.of(),
        undos,
        isCancelled,
        why);
  }

  Executor note(Line line) {
    List<Line> more = new ArrayList<>(pending);
    more.add(line);
    return new Executor(
        at,
        leaseOver,
        step,
        base,
        attempts,
        open,
        doubt,
        asked,
        List.copyOf(more),
        undos,
        cancelled,
        why);
  }

  Executor undos(List<Undo> value) {
    return new Executor(
        at,
        leaseOver,
        step,
        base,
        attempts,
        open,
        doubt,
        asked,
        pending,
        List.copyOf(value),
        cancelled,
        why);
  }

  /** In the order of beginning, which is that of the function. */
  Executor undoable(int number, Undo.How how) {
    List<Undo> changed = new ArrayList<>(notUndoable(number).undos);
    changed.add(new Undo(number, how, 0));
    return undos(changed);
  }

  Executor notUndoable(int number) {
    return undos(undos.stream().filter(each -> each.step() != number).toList());
  }

  Executor why(Why value) {
    return new Executor(
        at, leaseOver, step, base, attempts, open, doubt, asked, pending, undos, cancelled, value);
  }

  Executor cancelled(boolean value) {
    return new Executor(
        at, leaseOver, step, base, attempts, open, doubt, asked, pending, undos, value, why);
  }

  @Override
  public int hashCode() {
    int bits = step + 8 * attempts + 64 * base;
    bits = 2 * bits + (leaseOver ? 1 : 0);
    bits = 2 * bits + (open ? 1 : 0);
    bits = 2 * bits + (asked ? 1 : 0);
    bits = 2 * bits + (cancelled ? 1 : 0);
    bits = 31 * bits + at.hashCode();
    bits = 31 * bits + doubt.hashCode();
    bits = 31 * bits + why.hashCode();
    return 31 * (31 * bits + pending.hashCode()) + undos.hashCode();
  }

  @Override
  public String toString() {
    if (at == At.FREE) {
      return "free" + (leaseOver ? ", expired" : "");
    }
    return at
        + " of step "
        + step
        + (leaseOver ? ", expired" : "")
        + (pending.isEmpty() ? "" : ", not recorded " + pending)
        + (undos.isEmpty() ? "" : ", to be undone " + undos)
        + (why == Why.GOES_ON ? "" : ", given up: " + why);
  }
}
