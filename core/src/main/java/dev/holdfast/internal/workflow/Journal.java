package dev.holdfast.internal.workflow;

import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.Entry.Kind;
import dev.holdfast.workflow.store.WorkflowStore.Append;
import dev.holdfast.workflow.store.WorkflowStore.Change;
import dev.holdfast.workflow.store.WorkflowStore.History;
import dev.holdfast.workflow.store.WorkflowStore.NewRun;
import dev.holdfast.workflow.store.WorkflowStore.Signal;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one run: what was recorded when it was taken up, what was appended since, and
 * what waits for the next append. Thread-safe, since the branches of a run share it.
 *
 * <p>Steps come by in the order in which they were recorded, in each path by itself; one that does
 * not belongs to another function than the one that was recorded.
 */
final class Journal {
  private final long run;
  private final int turn;
  private final Map<String, Recorded> steps = new HashMap<>();

  /** By path, the steps that were recorded and have not come by yet. */
  private final Map<String, Iterator<String>> expected = new HashMap<>();

  private final Map<String, String> next = new HashMap<>();

  /** By path: what a branch has found is not to be believed by another before it is committed. */
  private final Map<String, List<Entry>> pending = new HashMap<>();

  private final List<Signal> signals;
  private final @Nullable String unwinding;
  private final @Nullable String foreign;
  private final @Nullable Instant lastRecorded;
  private final int restarts;
  private Watch watch = Watch.NOTHING;
  private boolean pivoted;
  private int last;

  Journal(long run, int turn, History history) {
    this.run = run;
    this.turn = turn;
    this.signals = new ArrayList<>(history.signals());
    Map<String, Map<String, Boolean>> order = new LinkedHashMap<>();
    Map<String, Entry> lastByPath = new HashMap<>();
    String reason = null;
    String foreign = null;
    Live live = Live.of(history.entries());
    this.last = live.last();
    this.restarts = live.restarts();
    for (Live.Dated dated : live.entries()) {
      Entry entry = dated.entry();
      if (entry.kind() == Kind.RESUMED) {
        steps.values().forEach(Recorded::forgetAttempts);
        steps.forEach((step, recorded) -> reopenUnhandled(step, recorded, lastByPath));
      }
      if (entry.kind() == Kind.FOREIGN) {
        foreign = String.valueOf(entry.note());
      }
      if (entry.kind() == Kind.UNWINDING) {
        reason = String.valueOf(entry.note());
      }
      if (!entry.step().isEmpty()) {
        order
            .computeIfAbsent(path(entry.step()), path -> new LinkedHashMap<>())
            .put(entry.step(), true);
        try {
          steps
              .computeIfAbsent(entry.step(), step -> new Recorded(entry.seq(), dated.generation()))
              .add(entry);
        } catch (DateTimeException e) {
          foreign = entry.kind() + " with a note of another form";
        }
        lastByPath.put(path(entry.step()), entry);
      }
    }
    this.unwinding = reason;
    this.foreign = foreign;
    this.lastRecorded = lastOf(history.entries());
    order.forEach(
        (path, names) -> {
          Iterator<String> in = names.keySet().iterator();
          next.put(path, in.next());
          expected.put(path, in);
        });
  }

  /**
   * A rejected step is done all the same when a person lets the run go on, unless the function has
   * gone another way since: then something is recorded behind it, in its own path or in one that it
   * is a branch of. A child has told of its end, and does not do so again.
   */
  private static void reopenUnhandled(
      String step, Recorded recorded, Map<String, Entry> lastByPath) {
    Entry end = recorded.end();
    if (end == null || end.kind() != Kind.REJECTED || recorded.waiting() != null) {
      return;
    }
    for (Map.Entry<String, Entry> each : lastByPath.entrySet()) {
      Entry last = each.getValue();
      if (path(step).startsWith(each.getKey())
          && last.seq() > end.seq()
          && !last.step().equals(step)) {
        return;
      }
    }
    recorded.reopen();
  }

  /** By an executor: what a person has added last says nothing of what had begun before. */
  private static @Nullable Instant lastOf(List<Entry> entries) {
    int last = entries.size() - 1;
    boolean isSaid = last > 0 && entries.get(last - 1).kind() == Kind.RESUMED;
    if (isSaid && entries.get(last).note() != null) {
      last--;
    }
    while (last >= 0 && entries.get(last).kind() == Kind.RESUMED) {
      last--;
    }
    return last < 0 ? null : entries.get(last).at();
  }

  static String path(String step) {
    return step.substring(0, step.lastIndexOf('/') + 1);
  }

  /** Who is told of what is found out. */
  void watch(Watch value) {
    watch = value;
  }

  /** What was recorded of a step when this was read. */
  Optional<Recorded> recorded(String step) {
    return Optional.ofNullable(steps.get(step));
  }

  /** Why the run is being undone; {@code null} while it is not. */
  @Nullable String unwinding() {
    return unwinding;
  }

  /** What is recorded that this version does not know; {@code null} when there is nothing. */
  @Nullable String foreign() {
    return foreign;
  }

  /** When the last entry was recorded that was there at the beginning. */
  @Nullable Instant lastRecorded() {
    return lastRecorded;
  }

  /** How often the run had been restarted when a step was begun, or is now. */
  int generation(String step) {
    Recorded recorded = steps.get(step);
    return recorded == null ? restarts : recorded.generation();
  }

  synchronized boolean isPivoted() {
    return pivoted;
  }

  synchronized void pivot() {
    pivoted = true;
  }

  /**
   * A step comes by.
   *
   * @return what is recorded of it; empty when it comes by for the first time
   */
  synchronized Optional<Recorded> visit(String step) {
    String path = path(step);
    String due = next.get(path);
    if (due == null) {
      return Optional.empty();
    }
    if (!due.equals(step)) {
      throw Stop.stick(
          "The function has changed: where the journal has step %s, it now asks for step %s. Nothing of the run was touched. Bring the former definition back, under its version, or use patch()."
              .formatted(due, step));
    }
    advance(path);
    return Optional.ofNullable(steps.get(step));
  }

  private void advance(String path) {
    Iterator<String> rest = expected.get(path);
    if (rest != null && rest.hasNext()) {
      next.put(path, rest.next());
    } else {
      next.remove(path);
    }
  }

  /**
   * A change of the function comes by.
   *
   * @return whether the run takes it; empty when it comes by for the first time
   */
  synchronized Optional<Boolean> visitPatch(String step) {
    String due = next.get(path(step));
    if (due == null) {
      return Optional.empty();
    }
    if (due.equals(step)) {
      advance(path(step));
      return Optional.of(true);
    }
    return Optional.of(false);
  }

  /** A step that is recorded, and that the function has not asked for. */
  synchronized Optional<String> unvisited() {
    return next.values().stream().sorted().findFirst();
  }

  /** The first signal of a name that nobody has received. */
  synchronized Optional<Signal> receive(String name) {
    for (Iterator<Signal> all = signals.iterator(); all.hasNext(); ) {
      Signal signal = all.next();
      if (signal.name().equals(name)) {
        all.remove();
        return Optional.of(signal);
      }
    }
    return Optional.empty();
  }

  /** How many entries there are, recorded or not yet. */
  synchronized int size() {
    return last;
  }

  /** To be recorded with whatever is appended next. */
  synchronized int defer(
      Kind kind, String step, @Nullable String value, @Nullable String note, Instant at) {
    Entry entry = new Entry(++last, kind, step, value, note, at);
    pendingOf(path(step)).add(entry);
    watch.noted(entry);
    return last;
  }

  /** What an append takes along, and what it is about. */
  synchronized Append append(
      Kind kind,
      String step,
      @Nullable String value,
      @Nullable String note,
      Instant at,
      List<Long> received,
      List<NewRun> children,
      Change change) {
    List<Entry> entries = new ArrayList<>();
    if (change instanceof Change.Keep && !step.isEmpty()) {
      entries.addAll(Objects.requireNonNullElse(pending.remove(path(step)), List.of()));
    } else {
      entries.addAll(allPending());
    }
    Entry entry = new Entry(++last, kind, step, value, note, at);
    entries.add(entry);
    watch.noted(entry);
    return new Append(run, turn, entries, children, received, change);
  }

  /** A step's record and, behind it, the run's end with the same result. */
  synchronized Append appendLast(String step, @Nullable String value, Instant at) {
    List<Entry> entries = allPending();
    entries.add(new Entry(++last, Kind.RESULT, step, value, null, at));
    entries.add(new Entry(++last, Kind.COMPLETED, "", value, null, at));
    return new Append(
        run, turn, entries, List.of(), List.of(), new Change.End(RunStatus.COMPLETED, null));
  }

  private List<Entry> pendingOf(String path) {
    return pending.computeIfAbsent(path, any -> new ArrayList<>());
  }

  private List<Entry> allPending() {
    List<Entry> all = new ArrayList<>();
    pending.values().forEach(all::addAll);
    pending.clear();
    all.sort(Comparator.comparing(Entry::seq));
    return all;
  }

  /** An append of all that is pending, with what becomes of the run. */
  synchronized Append append(Change change) {
    return new Append(run, turn, allPending(), List.of(), List.of(), change);
  }

  /** An append of what is pending in a path. */
  synchronized Append appendPending(String path) {
    List<Entry> entries = Objects.requireNonNullElse(pending.remove(path), List.of());
    return new Append(run, turn, entries, List.of(), List.of(), new Change.Keep());
  }

  /** A branch has ended: what it has found goes with what comes next. */
  synchronized void join(String branch, String parent) {
    List<Entry> entries = pending.remove(branch);
    if (entries != null) {
      pendingOf(parent).addAll(entries);
    }
  }

  /**
   * The append about a step was not and will not be made: what it took along waits for the next.
   */
  synchronized void takeBack(List<Entry> taken, String step) {
    pendingOf(path(step)).addAll(0, taken);
  }
}
