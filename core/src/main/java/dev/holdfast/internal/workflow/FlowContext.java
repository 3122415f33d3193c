package dev.holdfast.internal.workflow;

import dev.holdfast.workflow.Action;
import dev.holdfast.workflow.Flow;
import dev.holdfast.workflow.Step;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.store.Entry.Kind;
import dev.holdfast.workflow.store.WorkflowStore.Change;
import dev.holdfast.workflow.store.WorkflowStore.Signal;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A run, or a branch of one, as its function sees it. Not thread-safe. */
final class FlowContext implements Flow {
  private static final Duration LONGEST = Duration.ofDays(3_650);

  /** A run that has more is read for longer than anybody wants to wait, at each takeover. */
  static final int ENTRIES_AT_MOST = 50_000;

  private final Execution execution;
  private final Journal journal;
  private final String path;
  private final Map<String, Integer> occurrences = new HashMap<>();
  private @Nullable Stop stopped;

  /** The step that comes by now. */
  private String current = "";

  /** Whether this execution has come to what was not recorded when it began. */
  private boolean live;

  FlowContext(Execution execution, String path) {
    this.execution = execution;
    this.journal = execution.journal();
    this.path = path;
  }

  String path() {
    return path;
  }

  Execution execution() {
    return execution;
  }

  @Override
  public String id() {
    return execution.claimed().id();
  }

  @Override
  public String operationId() {
    return execution.claimed().operationId();
  }

  @Override
  public <T> Step<T> step(String name, Class<T> type) {
    return new StepRun<>(this, identify(name), type, Policy.OF_A_TRANSACTION);
  }

  @Override
  public Action step(String name) {
    return new ActionRun(
        new StepRun<>(this, identify(name), Boolean.class, Policy.OF_A_TRANSACTION));
  }

  /** Names the step that comes by now. */
  private String identify(String name) {
    check();
    if (name.isEmpty()
        || name.length() > 100
        || name.indexOf('/') >= 0
        || name.indexOf('#') >= 0
        || name.indexOf('\0') >= 0) {
      throw stop(
          Stop.stick(
              "A step is named \"%s\": names have 1 to 100 characters, and neither / nor #."
                  .formatted(name)));
    }
    int occurrence = occurrences.merge(name, 1, Integer::sum);
    return path + (occurrence == 1 ? name : name + "#" + occurrence);
  }

  /** Throws again what the function has kept from passing. */
  void check() {
    Stop fatal = execution.fatal();
    if (fatal != null) {
      throw fatal;
    }
    if (stopped != null) {
      throw stopped;
    }
  }

  /** Every step asks this before it does something that is not recorded. */
  void beforeNew() {
    check();
    execution
        .beforeNew(current)
        .ifPresent(
            stop -> {
              throw stop(stop);
            });
    if (journal.size() >= ENTRIES_AT_MOST) {
      throw stop(
          Stop.stick(
              "The run has %,d entries, which is the bound: it is run from its beginning wherever it is taken up. What goes on for ever is made of children, or of runs that start the next one. Cancel it and retry to have it undone, or end it by hand."
                  .formatted(journal.size())));
    }
    live = true;
    execution.watch().begins(current, journal.recorded(current), execution.now());
  }

  /** Ends this branch, whatever the function makes of it. */
  Stop stop(Stop stop) {
    if (stop.kind() == Stop.Kind.LOST || stop.kind() == Stop.Kind.STICK) {
      execution.fatal(stop);
    }
    stopped = stop;
    return stop;
  }

  /** Before something has an effect outside: nobody else may be at this run. */
  void require() {
    if (!execution.tenure().isValid()) {
      throw stop(Stop.lost("the lease has ended"));
    }
  }

  /**
   * Since when a former executor may have been at the step that comes by now, where that is not
   * recorded; {@code null} when none can have been.
   */
  @Nullable Instant mayHaveBegunSince() {
    return live ? null : execution.orphanSince();
  }

  /** Waits until a time. */
  void pauseUntil(Instant time, boolean inDoubt) {
    Duration wait = Duration.between(execution.now(), time).plusMillis(1);
    waiting(() -> Pause.exactly(execution, wait), inDoubt);
  }

  /** Waits between attempts. */
  void pause(Duration wait, boolean inDoubt) {
    waiting(() -> Pause.of(execution, wait), inDoubt);
  }

  private void waiting(Runnable wait, boolean inDoubt) {
    try {
      wait.run();
    } catch (Stop stop) {
      throw stop(inDoubt ? stop.inDoubt() : stop);
    }
  }

  @Nullable Stop stopped() {
    Stop fatal = execution.fatal();
    return fatal == null ? stopped : fatal;
  }

  /** A step comes by; what is wrong with that ends the run. */
  Optional<Recorded> visit(String step) {
    current = step;
    try {
      return journal.visit(step);
    } catch (Stop changed) {
      throw stop(changed);
    }
  }

  @Override
  public void pivot() {
    String step = identify("pivot");
    if (visit(step).isEmpty()) {
      beforeNew();
      journal.defer(Kind.PIVOT, step, null, null, execution.now());
    }
    journal.pivot();
  }

  @Override
  public boolean patch(String change) {
    String step = identify("patch:" + change);
    Optional<Boolean> before = journal.visitPatch(step);
    if (before.isEmpty()) {
      journal.defer(Kind.PATCH, step, null, null, execution.now());
    }
    return before.orElse(true);
  }

  @Override
  public void sleep(String name, Duration time) {
    String step = identify(name);
    Optional<Recorded> known = visit(step);
    if (known.isPresent() && known.get().end() != null) {
      return;
    }
    beforeNew();
    Instant until = until(step, known, time);
    if (execution.now().isBefore(until)) {
      throw stop(Stop.park(new Change.Park(until, List.of())));
    }
    journal.defer(Kind.RESULT, step, null, null, execution.now());
  }

  /** When the wait ends that began when the function came here first. */
  private Instant until(String step, Optional<Recorded> known, Duration time) {
    if (known.isPresent()) {
      return known.get().waitsUntil();
    }
    if (time.isNegative() || time.compareTo(LONGEST) > 0) {
      throw stop(Stop.stick("Step %s waits for %s: 0 to 3,650 days can be.".formatted(step, time)));
    }
    Instant until = execution.now().plus(time);
    journal.defer(Kind.WAIT, step, null, until.toString(), execution.now());
    return until;
  }

  @Override
  public <T> Optional<T> await(String signal, Class<T> type, Duration atMost) {
    String step = identify(signal);
    Optional<Recorded> known = visit(step);
    if (known.isPresent() && known.get().end() != null) {
      @Nullable String value = known.get().end().value();
      return value == null ? Optional.empty() : Optional.of(read(value, type));
    }
    beforeNew();
    Instant until = until(step, known, atMost);
    Optional<Signal> received = journal.receive(signal);
    if (received.isPresent()) {
      String value = String.valueOf(received.get().value());
      execution.append(Kind.RESULT, step, value, null, List.of(received.get().number()), List.of());
      return Optional.of(read(value, type));
    }
    if (execution.now().isBefore(until)) {
      throw stop(Stop.park(new Change.Park(until, List.of(signal))));
    }
    journal.defer(Kind.RESULT, step, null, null, execution.now());
    return Optional.empty();
  }

  @Override
  public <I, O> O child(String name, Workflow<I, O> workflow, I input) {
    return new ChildRun<>(this, identify(name), workflow, input).run();
  }

  <T> T read(String json, Class<T> type) {
    try {
      return execution.tools().codec().read(json, type);
    } catch (RuntimeException e) {
      throw stop(Stop.stick("Step " + current + ": " + Execution.text(e)));
    }
  }

  @Override
  public <I, T> List<T> parallel(String name, List<I> items, Branch<I, T> branch) {
    String step = identify(name);
    if (items.size() > 1_000) {
      throw stop(
          Stop.stick(
              "%s is done for %,d items at once: at most 1,000 can be."
                  .formatted(step, items.size())));
    }
    // What is known by now is known to every branch.
    execution.flush(path);
    return new Branches<>(this, step, items, branch).run();
  }
}
