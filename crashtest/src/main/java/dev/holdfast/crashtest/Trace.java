package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.CommitPoint;
import dev.holdfast.crashtest.report.Fault;
import dev.holdfast.crashtest.report.Phase;
import dev.holdfast.crashtest.resource.Commit;
import dev.holdfast.crashtest.resource.Role;
import dev.holdfast.crashtest.resource.Site;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The commit points that one run passes, over all lives of the process, and the faults that are
 * still to come. A fault is made when its point comes up; only the first of those to come can be.
 *
 * <p>All state is guarded by this.
 */
final class Trace {
  private final Predicate<Role> ignored;
  private final Deque<Fault> planned;
  private final List<CommitPoint> points = new ArrayList<>();
  private final List<CommitPoint> completed = new ArrayList<>();
  private final Map<Role, Integer> occurrences = new HashMap<>();
  private final List<String> notes = new ArrayList<>();
  private @Nullable Phase phase;
  private @Nullable String problem;
  private @Nullable List<CommitPoint> untilFault;

  private final Listener listener;

  /** Learns what happens, as it happens. */
  interface Listener {
    /** Before it takes effect. */
    void begun(CommitPoint point, boolean struck);

    void completed(CommitPoint point);

    void noted(String note);

    void failed(String problem);

    /** Nobody. */
    Listener NONE =
        new Listener() {
          @Override
          public void begun(CommitPoint point, boolean struck) {}

          @Override
          public void completed(CommitPoint point) {}

          @Override
          public void noted(String note) {}

          @Override
          public void failed(String problem) {}
        };
  }

  Trace(List<Fault> planned, Predicate<Role> ignored, Listener listener) {
    this.listener = listener;
    this.planned = new ArrayDeque<>(planned);
    this.ignored = ignored;
  }

  /** Begins a phase, in which occurrences are counted from one. */
  synchronized void enter(Phase next) {
    phase = next;
    occurrences.clear();
  }

  /** From now on nothing is recorded, and no fault is made. */
  synchronized void leave() {
    phase = null;
  }

  /**
   * An event that has begun.
   *
   * @param point what it was recorded as; null when it is not recorded
   * @param fault the fault to be made at it, if it is its point
   */
  record Begun(@Nullable CommitPoint point, @Nullable Fault fault) {}

  /** Records an event, before it happens. */
  synchronized Begun begin(Commit commit, Site site, boolean deferred) {
    Role role =
        new Role(commit.resource(), commit.action(), commit.detail(), LabThread.currentRole());
    Phase current = phase;
    if (current == null || ignored.test(role)) {
      return new Begun(null, null);
    }
    int occurrence = occurrences.merge(role, 1, Integer::sum);
    CommitPoint point =
        new CommitPoint(current, role, occurrence, site, commit.changes(), deferred);
    points.add(point);
    Fault next = planned.peek();
    if (next == null || next.point() == null || !point.isSameAs(next.point())) {
      listener.begun(point, false);
      return new Begun(point, null);
    }
    listener.begun(point, true);
    take(next);
    return new Begun(point, next);
  }

  /** An event of a process elsewhere. */
  synchronized void mirror(CommitPoint point, boolean struck) {
    points.add(point);
    Fault next = planned.peek();
    if (struck && next != null) {
      take(next);
    }
  }

  /** An event of a process elsewhere. */
  synchronized void mirrorCompleted(CommitPoint point) {
    completed.add(point);
  }

  synchronized List<Fault> planned() {
    return List.copyOf(planned);
  }

  private void take(Fault fault) {
    planned.remove(fault);
    if (untilFault == null) {
      untilFault = List.copyOf(points);
    }
  }

  /** Takes a fault that has no point off the plan: it is made now. */
  synchronized void made(Fault fault) {
    take(fault);
  }

  /**
   * What was passed up to the first fault, its own point included; everything when none was made.
   */
  synchronized List<CommitPoint> untilFault() {
    return untilFault == null ? List.copyOf(points) : untilFault;
  }

  /** The next fault to come, when it has a point in the present phase. */
  synchronized @Nullable Fault pendingHere() {
    Fault next = planned.peek();
    return next != null && next.point() != null && next.point().phase() == phase ? next : null;
  }

  /** The event has happened, and whoever asked for it is about to be told. */
  synchronized void complete(Begun begun) {
    if (begun.point() != null) {
      completed.add(begun.point());
      listener.completed(begun.point());
    }
  }

  synchronized List<CommitPoint> completed() {
    return List.copyOf(completed);
  }

  synchronized List<CommitPoint> points() {
    return List.copyOf(points);
  }

  /** Whether anything was committed by another thread than the operation's. */
  synchronized boolean hasBackground() {
    return points.stream().anyMatch(point -> !LabThread.isOurs(point.role()));
  }

  synchronized void note(String note) {
    notes.add(note);
    listener.noted(note);
  }

  synchronized List<String> notes() {
    return List.copyOf(notes);
  }

  /** The run says nothing any more; the first reason is kept. */
  synchronized void problem(String what) {
    if (problem == null) {
      problem = what;
      listener.failed(what);
    }
  }

  synchronized @Nullable String problem() {
    return problem;
  }
}
