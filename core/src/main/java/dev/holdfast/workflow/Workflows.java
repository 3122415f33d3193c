package dev.holdfast.workflow;

import dev.holdfast.Codec;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Transaction;
import dev.holdfast.TransactionRunner;
import dev.holdfast.UnreadableData;
import dev.holdfast.internal.transaction.BufferedTransaction;
import dev.holdfast.internal.workflow.Ended;
import dev.holdfast.internal.workflow.Engine;
import dev.holdfast.internal.workflow.EngineStart;
import dev.holdfast.internal.workflow.Exports;
import dev.holdfast.internal.workflow.Operator;
import dev.holdfast.internal.workflow.Results;
import dev.holdfast.internal.workflow.Starts;
import dev.holdfast.workflow.store.WorkflowStore;
import dev.holdfast.workflow.store.WorkflowStore.Backlog;
import dev.holdfast.workflow.store.WorkflowStore.Claimed;
import dev.holdfast.workflow.store.WorkflowStore.NewRun;
import dev.holdfast.workflow.store.WorkflowStore.Started;
import dev.holdfast.workflow.store.WorkflowStore.Status;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Starts runs, signals them, waits for them, and operates them. Thread-safe; got from {@link
 * dev.holdfast.Holdfast#workflows()}.
 *
 * <p>Runs are executed by every process that was given their definition. One that is started here
 * and can be executed here begins at once.
 */
public final class Workflows implements AutoCloseable {

  private final WorkflowStore store;
  private final Codec codec;
  private final WorkflowSettings settings;
  private final EngineStart engines;
  private volatile @Nullable Engine engine;
  private final Results results;
  private final Operator operator;
  private final Starts starts;
  private final WorkflowListener listener;
  private final Runnable hint = this::wake;

  /** For {@link dev.holdfast.Holdfast}. */
  public Workflows(
      WorkflowStore store,
      Codec codec,
      WorkflowSettings settings,
      EngineStart engines,
      Results results,
      WorkflowListener listener) {
    this.store = store;
    this.codec = codec;
    this.settings = settings;
    this.engines = engines;
    this.results = results;
    this.operator = new Operator(store);
    this.starts = new Starts(store, 8 * settings.valueBytesAtMost());
    this.listener = listener;
  }

  /**
   * Starts a run in a commit of its own, or of several that are started at the same time. Once for
   * each id: a repeat finds what was started.
   *
   * @param id 1 to 200 characters, without {@code /} at best; names the run for ever, or until it
   *     is forgotten
   * @return whether there was none before
   * @throws RunConflict when there is one of that id with another definition or input
   */
  public <I> boolean start(Workflow<I, ?> workflow, String id, I input) {
    return start(workflow, id, input, StartOptions.DEFAULT);
  }

  /** As {@link #start(Workflow, String, Object)}, with options. */
  public <I> boolean start(Workflow<I, ?> workflow, String id, I input, StartOptions options) {
    NewRun run = describe(workflow, id, input, options.operationId(), options);
    Engine here = engine;
    Long executor = here == null || options.waits() ? null : here.reserve(workflow);
    boolean isReserved = executor != null;
    try {
      Started started = starts.start(run, executor);
      requireSame(started, run);
      if (here != null && executor != null && started.isNew()) {
        isReserved = false;
        here.runReserved(
            executor,
            new Claimed(
                started.run(),
                1,
                id,
                run.name(),
                run.version(),
                run.input(),
                run.operationId(),
                run.attributes(),
                null,
                null,
                started.deadline(),
                null));
      } else if (here != null) {
        here.wake();
      }
      return started.isNew();
    } finally {
      if (here != null && isReserved) {
        here.unreserve();
      }
    }
  }

  /**
   * Starts a run in the caller's transaction: it is there if and only if that commits, and begins
   * behind it. Waits for a transaction that has started the same id and is open.
   */
  public <I> boolean start(Transaction tx, Workflow<I, ?> workflow, String id, I input)
      throws SQLException {
    return start(tx, workflow, id, input, StartOptions.DEFAULT);
  }

  /** As {@link #start(Transaction, Workflow, String, Object)}, with options. */
  public <I> boolean start(
      Transaction tx, Workflow<I, ?> workflow, String id, I input, StartOptions options)
      throws SQLException {
    String operation = options.operationId() == null ? tx.operationId() : options.operationId();
    NewRun run = describe(workflow, id, input, operation, options);
    Started started = store.start(tx.connection(), run, null);
    requireSame(started, run);
    wakeBehind(tx);
    return started.isNew();
  }

  /** Whoever runs workflows here need not wait for the next look. */
  private void wakeBehind(Transaction tx) {
    if (tx instanceof BufferedTransaction ours) {
      ours.behindCommit(hint);
    }
  }

  private <I> NewRun describe(
      Workflow<I, ?> workflow,
      String id,
      I input,
      @Nullable String operation,
      StartOptions options) {
    if (id.isEmpty() || id.length() > 200) {
      throw new InvalidConfiguration(
          "The id of the run has %d characters, and must have 1 to 200. Nothing was started."
              .formatted(id.length()));
    }
    return new NewRun(
        id,
        workflow.name(),
        workflow.version(),
        write("the input of workflow " + workflow, input),
        operation == null ? id : operation,
        listener.starting(id, workflow, options.attributes()),
        options.delay(),
        options.startAt(),
        options.deadline(),
        options.queue(),
        options.queueKey(),
        null,
        null);
  }

  private String write(String what, Object value) {
    String json = codec.write(value);
    if (json.length() > settings.valueBytesAtMost()) {
      throw new UnreadableData(
          "%s has %,d characters as JSON, and may have %,d (valueBytesAtMost). Nothing was written."
              .formatted(what, json.length(), settings.valueBytesAtMost()));
    }
    return json;
  }

  private static void requireSame(Started started, NewRun run) {
    if (!started.isSame()) {
      throw new RunConflict(
          "There is a run of the id %s with another workflow, version or input than %s %d has been given now. Nothing was started. Use another id for another operation."
              .formatted(run.id(), run.name(), run.version()));
    }
  }

  /** Executors here look at once; for whoever started or signalled within a transaction. */
  public void wake() {
    Engine here = engine;
    if (here != null) {
      here.wake();
    }
  }

  /**
   * Sends a signal in a commit of its own.
   *
   * @return false when there is no such run, or it has ended
   * @throws TooManySignals when there are 1,000 that the run has not received; nothing was sent
   */
  public boolean signal(String id, String name, Object value) {
    boolean sent = store.signalAlone(id, signalName(name), write("the signal " + name, value));
    wake();
    return sent;
  }

  /** Sends a signal in the caller's transaction; waits for nobody. */
  public boolean signal(Transaction tx, String id, String name, Object value) throws SQLException {
    boolean sent =
        store.signal(tx.connection(), id, signalName(name), write("the signal " + name, value));
    wakeBehind(tx);
    return sent;
  }

  private static String signalName(String name) {
    if (name.isEmpty() || name.length() > 100 || name.indexOf('#') >= 0) {
      throw new InvalidConfiguration(
          "A signal is named \"%s\": names have 1 to 100 characters and no #. Nothing was sent."
              .formatted(name));
    }
    return name;
  }

  /**
   * Waits for a run's end and returns its result.
   *
   * @return empty when it has not ended in time
   * @throws RunFailed when it has failed or was cancelled; what it did is undone
   * @throws InterruptedException when this thread is interrupted; the run goes on
   */
  public <O> Optional<O> result(Workflow<?, O> workflow, String id, Duration atMost)
      throws InterruptedException {
    Optional<Ended> found = results.await(id, atMost);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    Ended ended = found.get();
    if (ended.value() == null) {
      throw new RunFailed(id, ended.status(), String.valueOf(ended.reason()));
    }
    return Optional.of(codec.read(ended.value(), workflow.output()));
  }

  /** Where a run is; empty when there is none of that id. */
  public Optional<RunStatus> status(String id) {
    return Optional.ofNullable(store.statuses(List.of(id)).get(id)).map(Status::status);
  }

  /** Why a run is stuck or has failed; empty when it is neither. */
  public Optional<String> reason(String id) {
    return Optional.ofNullable(store.statuses(List.of(id)).get(id)).map(Status::reason);
  }

  /**
   * A run as JSON: what it was started with, and what is recorded of it, for {@link Replay} and for
   * people. Changes nothing, and needs no transaction; of a run that goes on meanwhile it may miss
   * what has just been recorded. It holds whatever the run was given and has found.
   *
   * @return empty when there is no run of this id
   * @throws UnreadableData when it has more than 100,000 entries, or 50 million characters
   */
  public Optional<String> export(String id) {
    return Exports.of(store, id);
  }

  /**
   * Asks for a run's end: before its next step, and then what it did is undone. Refused by the run
   * behind its pivot, without a sign.
   *
   * @return false when there is no such run, or it has ended
   */
  public boolean cancel(String id, String reason, String who) {
    return woken(operator.cancel(id, reason, who));
  }

  /**
   * Lets a stuck run go on where it is stuck, with its attempts counted anew.
   *
   * @return false when there is no such run, or it is not stuck
   */
  public boolean retry(String id, String who, String note) {
    return woken(operator.retry(id, who, note));
  }

  /**
   * Has a run that is stuck or has ended begin anew from a step, or from its beginning: what is
   * recorded from there on stays to be read, and does not count. What those steps did is neither
   * undone nor found again: they are called with new keys, and their children have new ids. So this
   * is for what was mended by hand, or bears being done again. Its deadline, and a cancellation, do
   * not count any more.
   *
   * @param step a step's name, without branches; empty for the beginning
   * @return false when there is no such run, or it neither is stuck nor has ended
   * @throws InvalidConfiguration when it cannot begin anew from there, and why; nothing was changed
   */
  public boolean restart(String id, String step, String who, String note) {
    return woken(operator.restart(id, step, who, note));
  }

  /**
   * Says what became of a step that is in doubt: that it has happened, with this result.
   *
   * @throws InvalidConfiguration when another step is in doubt, or this one has ended
   */
  public boolean resolveHappened(String id, String step, Object result, String who, String note) {
    return woken(operator.resolveHappened(id, step, write("the result", result), who, note));
  }

  /**
   * Says what became of a step that is in doubt: that it has not happened, and will not.
   *
   * @throws InvalidConfiguration when another step is in doubt, or this one has ended
   */
  public boolean resolveRejected(String id, String step, String reason, String who) {
    return woken(operator.resolveRejected(id, step, reason, who));
  }

  /**
   * Goes on without undoing a step that cannot be undone.
   *
   * @throws InvalidConfiguration when there is no such step, or it is undone already
   */
  public boolean skipUndo(String id, String step, String who, String note) {
    return woken(operator.skipUndo(id, step, who, note));
  }

  /** Ends a stuck run with a result, by hand; nothing is undone. */
  public boolean complete(String id, Object result, String who, String note) {
    boolean ended = operator.complete(id, write("the result", result), who, note);
    results.ring(id);
    return woken(ended);
  }

  /** Ends a stuck run as failed, by hand; nothing is undone. */
  public boolean fail(String id, String who, String note) {
    boolean ended = operator.fail(id, who, note);
    results.ring(id);
    return woken(ended);
  }

  private boolean woken(boolean isDone) {
    if (isDone) {
      wake();
    }
    return isDone;
  }

  /**
   * Begins to run workflows in this process that were not known yet when Holdfast was started: for
   * a framework whose workflows are made of what needs Holdfast. Runs that are due begin at once.
   *
   * @param runner begins and ends the transactions of steps; {@code null} where Holdfast does
   * @throws InvalidConfiguration when workflows are run here already, or one is named twice
   */
  public synchronized void execute(
      List<Workflow<?, ?>> definitions,
      List<WorkflowQueue> queues,
      @Nullable TransactionRunner runner) {
    if (engine != null) {
      throw new InvalidConfiguration(
          "This process runs workflows already, so these were not added. Name all of them together.");
    }
    engine = engines.begin(definitions, queues, runner);
  }

  /**
   * Runs no more workflows in this process: what is under way gets some seconds to come to its next
   * record, and is given back to others. All else goes on to work.
   */
  public synchronized void stop() {
    Engine here = engine;
    if (here != null) {
      engine = null;
      here.close();
    }
  }

  /**
   * Whether this process runs workflows and holds its lease, by its own measure. Without, others
   * take its runs over, and it begins anew when the database answers. Asks nobody.
   */
  public boolean isExecuting() {
    Engine here = engine;
    return here != null && here.isLeased();
  }

  /**
   * What there is to do: for the workflows that this process runs, how long one has been due; of
   * all, how many run and how many wait for a person. One cheap query.
   */
  public Backlog backlog() {
    Engine here = engine;
    return store.backlog(here == null ? List.of() : here.definitions());
  }

  /** Gives back what is executed here. */
  @Override
  public void close() {
    stop();
    results.close();
  }
}
