package dev.holdfast.internal.workflow;

import dev.holdfast.HoldfastException;
import dev.holdfast.UnreadableData;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.StepFailed;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.store.Entry.Kind;
import dev.holdfast.workflow.store.WorkflowStore.Append;
import dev.holdfast.workflow.store.WorkflowStore.Change;
import dev.holdfast.workflow.store.WorkflowStore.Claimed;
import dev.holdfast.workflow.store.WorkflowStore.NewRun;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run, from being taken up to being given back or ended. Used once; the branches of its
 * function share it.
 */
class Execution {
  private static final Logger log = LoggerFactory.getLogger(Execution.class);

  /** What is recorded as the reason of an unwinding begins with one of these. */
  private static final String CANCELLED = "cancelled: ";

  private static final String FAILED = "failed: ";

  /** The reason of a run that has failed where nothing is undone begins with this. */
  static final String BEHIND_THE_PIVOT = "Behind the pivot, where nothing is undone: ";

  /**
   * Where a trace is known by, as <a href="https://www.w3.org/TR/trace-context/">W3C</a> has it.
   */
  private static final Set<String> TRACE_CONTEXT = Set.of("traceparent", "tracestate");

  /** Waits up to this long are waited here, longer ones as a row. */
  static final Duration WAITS_HERE = Duration.ofSeconds(1);

  private static final int REASON_AT_MOST = 2_000;

  private final Tools tools;
  private final Tenure tenure;
  private final Claimed run;
  private final Journal journal;
  private final Undos undos = new Undos();
  private @Nullable Workflow<?, ?> workflow;
  private volatile @Nullable String cancelled;
  private volatile @Nullable Stop fatal;
  private boolean isUnwinding;
  private volatile Ended end = Ended.NOWHERE;
  private volatile @Nullable Execution successor;
  private Watch watch = Watch.NOTHING;

  Execution(Tools tools, Tenure tenure, Claimed run, Journal journal) {
    this.tools = tools;
    this.tenure = tenure;
    this.run = run;
    this.journal = journal;
    this.cancelled = run.cancelled();
  }

  /**
   * Sets the next turn at the same run, which begins when this one has left.
   *
   * @return what was to be the next one
   */
  @Nullable Execution followedBy(Execution next) {
    Execution before = successor;
    successor = next;
    return before;
  }

  @Nullable Execution successor() {
    return successor;
  }

  /** What an execution works with. */
  Tools tools() {
    return tools;
  }

  Tenure tenure() {
    return tenure;
  }

  Claimed claimed() {
    return run;
  }

  Journal journal() {
    return journal;
  }

  Undos undos() {
    return undos;
  }

  /** As {@link #run}, for a listener to learn of. */
  Ended watched(Workflow<?, ?> workflow) {
    watch = Watch.over(run, tools.listener());
    journal.watch(watch);
    try {
      return run(workflow);
    } finally {
      watch.left(end);
    }
  }

  /** What is run; known once it has begun. */
  Workflow<?, ?> workflow() {
    return Objects.requireNonNull(workflow);
  }

  Watch watch() {
    return watch;
  }

  /** How the run is left; {@code RUNNING} when that is not for this execution to say. */
  Ended run(Workflow<?, ?> workflow) {
    try {
      execute(workflow);
    } catch (Stop stop) {
      try {
        end(stop);
      } catch (Stop lost) {
        log.debug("run {} of {} is left: {}", run.id(), run.name(), lost.reason());
      }
    }
    return end;
  }

  private <I, O> void execute(Workflow<I, O> workflow) {
    this.workflow = workflow;
    FlowContext flow = new FlowContext(this, "");
    @Nullable O result = null;
    @Nullable Stop over = null;
    if (journal.foreign() != null) {
      throw Stop.stick(
          "The journal has an entry of the kind %s, which this version of Holdfast does not know. Nothing of the run was touched. Retry it where a later version runs."
              .formatted(journal.foreign()));
    }
    try {
      I input = tools.codec().read(run.input(), workflow.input());
      result = workflow.body().run(flow, input);
    } catch (Stop stop) {
      over = stop;
    } catch (UnreadableData e) {
      over = Stop.stick(text(e));
    } catch (Exception e) {
      over = failure(e);
    } catch (OutOfMemoryError e) {
      // Of this process, and not of the run: it is taken up again.
      throw e;
    } catch (Throwable e) {
      over = Stop.stick(text(e));
    }
    // The function may have kept one from passing.
    Stop stopped = flow.stopped();
    try {
      finish(workflow, result, stopped == null ? over : stopped);
    } catch (OutOfMemoryError | Stop e) {
      throw e;
    } catch (Throwable e) {
      throw Stop.stick(text(e));
    }
  }

  private void finish(Workflow<?, ?> workflow, @Nullable Object result, @Nullable Stop over) {
    if (end.status().isFinal()) {
      return;
    }
    if (over != null && over.kind() == Stop.Kind.COMPLETE) {
      finish(workflow, over.result(), null);
      return;
    }
    if (over != null && over.kind() != Stop.Kind.UNWIND) {
      throw over;
    }
    requireAllVisited();
    String unwinding = journal.unwinding();
    if (unwinding != null) {
      unwind(unwinding, true);
    } else if (over != null) {
      unwind(over.reason(), false);
    } else if (result == null) {
      throw Stop.stick("The function of " + workflow + " has returned null. Return a value.");
    } else {
      beforeEnd();
      complete(workflow, result);
    }
  }

  /** The run is about to be complete. */
  void beforeEnd() {
    requireAllVisited();
    // A step that was given up as unknown is undone though the function has gone another way.
    undoUnknown();
  }

  /** The run's end was committed with a step. */
  void completed(String value) {
    end = new Ended(RunStatus.COMPLETED, value, null);
  }

  private void requireAllVisited() {
    Optional<String> forgotten = journal.unvisited();
    if (forgotten.isPresent()) {
      throw Stop.stick(
          "The function has changed: it has come to its end without step %s, which the journal has. Nothing more of the run was touched. Bring the former definition back, under its version, or use patch()."
              .formatted(forgotten.get()));
    }
  }

  private Stop failure(Exception e) {
    if (e instanceof InterruptedException) {
      Thread.currentThread().interrupt();
    }
    if (!tenure.isValid() || e instanceof InterruptedException) {
      // It may have failed for that.
      return Stop.lost("the lease has ended, or this process ends");
    }
    if (journal.unwinding() != null) {
      return Stop.unwind("as before");
    }
    log.info("run {} of {}: given up", run.id(), run.name(), e);
    return giveUp(FAILED + text(e), e);
  }

  private Stop giveUp(String reason, Exception e) {
    return journal.isPivoted()
        ? Stop.stick(
            BEHIND_THE_PIVOT
                + reason
                + ". Mend what it needs, and type: holdfast workflow "
                + goOn(e))
        : Stop.unwind(reason);
  }

  /** A child that has ended does not begin again: another one is started by a restart alone. */
  private String goOn(Exception e) {
    boolean isAChilds =
        e instanceof StepFailed failed
            && journal.recorded(failed.step()).map(Recorded::waiting).isPresent();
    String step = e instanceof StepFailed failed ? failed.step() : "";
    int branch = step.indexOf('[');
    return isAChilds
        ? "restart " + run.id() + " --from " + (branch < 0 ? step : step.substring(0, branch))
        : "retry " + run.id();
  }

  private void complete(Workflow<?, ?> workflow, Object result) {
    String value = write("the result of workflow " + workflow, result);
    append(
        journal.append(
            Kind.COMPLETED,
            "",
            value,
            null,
            now(),
            List.of(),
            List.of(),
            new Change.End(RunStatus.COMPLETED, null)));
    completed(value);
  }

  /** Undoes what was given up as unknown. */
  void undoUnknown() {
    undos.runUnknown(this);
  }

  /** Undoes whatever was done. */
  void undoAll() {
    undos.run(this);
  }

  /** Undoes what was done, as often as it is taken up until all is. */
  private void unwind(String reason, boolean isRecorded) {
    isUnwinding = true;
    if (!isRecorded) {
      append(Kind.UNWINDING, "", null, reason);
    }
    undoAll();
    boolean wasCancelled = reason.startsWith(CANCELLED);
    RunStatus status = wasCancelled ? RunStatus.CANCELLED : RunStatus.FAILED;
    append(
        journal.append(
            wasCancelled ? Kind.CANCELLED : Kind.FAILED,
            "",
            null,
            reason,
            now(),
            List.of(),
            List.of(),
            new Change.End(status, reason)));
    end = new Ended(status, null, reason);
  }

  private void end(Stop stop) {
    switch (stop.kind()) {
      case PARK -> {
        append(journal.append(early(Objects.requireNonNull(stop.park()))));
        end = new Ended(RunStatus.PARKED, null, null);
      }
      case STICK -> {
        sayStuck(stop.reason());
        append(journal.append(new Change.Stick(bounded(stop.reason()), orphanSince())));
        end = new Ended(RunStatus.STUCK, null, stop.reason());
      }
      case LOST -> {
        log.debug("run {} of {} is left: {}", run.id(), run.name(), stop.reason());
        if (tenure.isClosing()) {
          // What is known by now is recorded, so that whoever goes on need not find it out. It
          // is not parked: something may have begun that is not recorded.
          flush();
        }
      }
      case UNWIND, COMPLETE ->
          throw new IllegalStateException("Unwinding ended with " + stop.reason());
    }
  }

  /** Somebody has to see it. */
  void sayStuck(String reason) {
    log.error("run {} of {} is stuck: {}", run.id(), run.name(), reason);
  }

  /** Whether its deadline, or a cancellation that it has not seen, is to wake it up. */
  private Change.Park early(Change.Park park) {
    Instant deadline = run.deadline();
    boolean ends =
        journal.unwinding() == null
            && !isUnwinding
            && !journal.isPivoted()
            && cancelled == null
            && (deadline == null || now().isBefore(deadline));
    return new Change.Park(park.due(), park.signals(), ends);
  }

  /**
   * A step is about to do something that is not recorded.
   *
   * @return why it is not to, if so
   */
  Optional<Stop> beforeNew(String step) {
    return unwinding();
  }

  /** Why the run is not to do anything new, if so. */
  Optional<Stop> unwinding() {
    String unwinding = journal.unwinding();
    if (unwinding != null) {
      return Optional.of(Stop.unwind(unwinding));
    }
    if (journal.isPivoted()) {
      return Optional.empty();
    }
    String asked = cancelled;
    if (asked != null) {
      return Optional.of(Stop.unwind(CANCELLED + asked));
    }
    Instant deadline = run.deadline();
    if (deadline != null && !now().isBefore(deadline)) {
      return Optional.of(Stop.unwind(CANCELLED + "its deadline, " + deadline + ", has passed"));
    }
    return Optional.empty();
  }

  /**
   * What ends the whole execution at once, whatever its function makes of it; {@code null} while
   * nothing has.
   */
  @Nullable Stop fatal() {
    return fatal;
  }

  Stop fatal(Stop stop) {
    if (fatal == null) {
      fatal = stop;
    }
    return stop;
  }

  /** Since when an executor before this one was at what is not recorded; null when none was. */
  @Nullable Instant orphanSince() {
    Instant since = run.orphanSince();
    Instant last = journal.lastRecorded();
    return since == null || last == null || since.isAfter(last) ? since : last;
  }

  /** The database says why the run is to be cancelled, if it is. */
  void cancelled(Optional<String> reason) {
    reason.ifPresent(text -> cancelled = text);
  }

  Instant now() {
    return tools.clock().now();
  }

  /**
   * Appends something about a step, in a commit that others may share.
   *
   * @return its number
   */
  int append(Kind kind, String step, @Nullable String value, @Nullable String note) {
    return append(kind, step, value, note, List.of(), List.of());
  }

  int append(
      Kind kind,
      String step,
      @Nullable String value,
      @Nullable String note,
      List<Long> received,
      List<NewRun> children) {
    Append append =
        journal.append(kind, step, value, note, now(), received, children, new Change.Keep());
    append(append);
    return append.entries().get(append.entries().size() - 1).seq();
  }

  /** What a path has found is written: before something has an effect there. */
  void flush(String path) {
    appendIfAny(journal.appendPending(path));
  }

  /** What all have found is written. */
  void flush() {
    appendIfAny(journal.append(new Change.Keep()));
  }

  private void appendIfAny(Append append) {
    if (!append.entries().isEmpty()) {
      append(append);
    }
  }

  void append(Append append) {
    try {
      cancelled(tools.commits().append(tenure, append));
      watch.recorded(append.entries());
    } catch (Stop lost) {
      throw fatal(lost);
    } catch (HoldfastException e) {
      throw fatal(Stop.stick("Something could not be recorded: " + text(e)));
    }
  }

  /** What a child is started with: in the trace that this run is in. */
  Map<String, String> attributesOf(String child, Workflow<?, ?> workflow) {
    Map<String, String> context = new HashMap<>(run.attributes());
    context.keySet().retainAll(TRACE_CONTEXT);
    return tools.listener().starting(child, workflow, Map.copyOf(context));
  }

  /** The key that a step calls others with. */
  String key(String step) {
    int generation = journal.generation(step);
    String all =
        tools.storeId()
            + "\n"
            + run.id()
            + "\n"
            + step
            + (generation == 0 ? "" : "\n" + generation);
    return UUID.nameUUIDFromBytes(all.getBytes(StandardCharsets.UTF_8)).toString();
  }

  String write(String what, @Nullable Object value) {
    if (value == null) {
      throw new UnreadableData(
          what + " is null. It was not recorded. Return a value, or use a step without a result.");
    }
    String json = tools.codec().write(value);
    if (json.length() > tools.settings().valueBytesAtMost()) {
      throw new UnreadableData(
          "%s has %,d characters as JSON, and may have %,d (valueBytesAtMost). It was not recorded. Keep large things elsewhere, and record where."
              .formatted(what, json.length(), tools.settings().valueBytesAtMost()));
    }
    return json;
  }

  static String text(Throwable e) {
    String message = e.getMessage();
    return bounded(
        e instanceof HoldfastException && message != null
            ? message
            : e.getClass().getSimpleName() + (message == null ? "" : ": " + message));
  }

  private static String bounded(String reason) {
    String text = reason.replace('\0', ' ');
    return text.length() <= REASON_AT_MOST ? text : text.substring(0, REASON_AT_MOST) + "...";
  }
}
