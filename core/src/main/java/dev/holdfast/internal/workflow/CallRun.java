package dev.holdfast.internal.workflow;

import dev.holdfast.internal.workflow.CallProtocol.Event;
import dev.holdfast.internal.workflow.CallProtocol.Next;
import dev.holdfast.internal.workflow.CallProtocol.Situation;
import dev.holdfast.workflow.Rejected;
import dev.holdfast.workflow.Seen;
import dev.holdfast.workflow.Step;
import dev.holdfast.workflow.StepFailed;
import dev.holdfast.workflow.store.Entry.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A step that calls somebody else, from whatever the journal has of it to its end. What follows
 * from what is known is {@link CallProtocol}'s to say; here it is done.
 */
final class CallRun<T> {
  private final StepRun<T> step;
  private final FlowContext flow;
  private final Execution execution;
  private final Step.Call<T> call;
  private final Policy policy;
  private final String key;

  private int seq;
  private int attempts;
  private int questions;

  /** Whether an attempt may have had an effect that is not known. */
  private boolean open;

  /** Whether the journal says so. */
  private boolean isNoted;

  private @Nullable Instant firstAttempt;
  private @Nullable Instant settlesAt;
  private Instant askedAt = Instant.MIN;
  private @Nullable T value;
  private String reason = "what became of it is not known, since it was interrupted in the middle";

  CallRun(StepRun<T> step, Step.Call<T> call) {
    this.step = step;
    this.flow = step.flow();
    this.execution = flow.execution();
    this.call = call;
    this.policy = step.policy();
    this.key = execution.key(step.name());
  }

  T run() {
    Recorded recorded = flow.visit(step.name()).orElse(null);
    if (recorded == null) {
      return first();
    }
    seq = recorded.seq();
    if (recorded.end() != null) {
      return known(recorded);
    }
    attempts = recorded.attempts() + (recorded.isInterrupted() ? 1 : 0);
    firstAttempt = recorded.firstAttempt();
    settlesAt = recorded.settlesAt();
    open = recorded.isOpen();
    isNoted = open;
    if (!open) {
      return first();
    }
    undoable(recorded, false, this::settleAndUndo);
    // A run that is being undone finds out there what became of this.
    flow.beforeNew();
    return go(recorded.isInterrupted() ? decide(Event.LOST) : judge(Event.LOST));
  }

  /** Nothing is open: but without an intent a former executor may have called, and left nothing. */
  private T first() {
    Instant since = policy.needsIntent() ? null : flow.mayHaveBegunSince();
    if (since == null) {
      return go(Next.CALL);
    }
    firstAttempt = since;
    attempts++;
    open = true;
    return go(decide(Event.LOST));
  }

  private T known(Recorded recorded) {
    if (recorded.is(Kind.RESULT)) {
      T result = step.ended(Objects.requireNonNull(recorded.end()));
      undoable(recorded, false, () -> undo(Optional.of(result)));
      return result;
    }
    if (recorded.is(Kind.UNKNOWN)) {
      undoable(recorded, true, () -> undo(Optional.empty()));
    }
    return step.ended(Objects.requireNonNull(recorded.end()));
  }

  private T go(Next first) {
    Next next = first;
    while (true) {
      switch (next) {
        case CALL -> next = decide(attempt());
        case ASK -> next = decide(ask());
        case RESULT -> {
          return succeeded();
        }
        case REJECTED -> throw failed(Kind.REJECTED, StepFailed.Kind.REJECTED);
        case UNKNOWN -> throw failed(Kind.UNKNOWN, StepFailed.Kind.UNKNOWN);
        case STICK -> throw stuck();
      }
    }
  }

  private Next judge(Event event) {
    return CallProtocol.decide(policy, event, new Situation(attempts, isSettled(), isKeyKept()));
  }

  private Next decide(Event event) {
    Next next = judge(event);
    if (next == Next.CALL) {
      if (event == Event.WILL_NOT_HAPPEN || (event == Event.NOT_SEEN && isSettled())) {
        note(Kind.ATTEMPT, reason);
        open = false;
        isNoted = false;
        firstAttempt = null;
        execution.undos().remove(seq);
      } else {
        note(Kind.REPEAT, firstAttempt + " " + reason);
        isNoted = true;
      }
      settlesAt = null;
      questions = 0;
      flow.pause(policy.retry().waitAfter(Math.max(1, attempts)), open);
    }
    return next;
  }

  private boolean isSettled() {
    Instant settles = settlesAt;
    return settles != null && !askedAt.isBefore(settles);
  }

  private boolean isKeyKept() {
    Duration kept = policy.keyKeptFor();
    Instant first = firstAttempt;
    // The last attempt has to arrive while the key is kept.
    return kept != null
        && (first == null || execution.now().plus(policy.timeout()).isBefore(first.plus(kept)));
  }

  private Event attempt() {
    flow.beforeNew();
    if (open && !isKeyKept()) {
      // It was, when another attempt was decided on.
      return Event.LOST;
    }
    if (policy.needsIntent()) {
      int at = execution.append(Kind.INTENT, step.name(), null, null);
      seq = seq == 0 ? at : seq;
      isNoted = true;
    } else {
      execution.flush(flow.path());
    }
    flow.require();
    attempts++;
    open = true;
    if (firstAttempt == null) {
      firstAttempt = execution.now();
    }
    undoable(null, false, this::settleAndUndo);
    try {
      value = Limited.call(execution.tools().timer(), policy.timeout(), () -> call.run(key));
      return Event.RETURNED;
    } catch (Stop stop) {
      throw flow.stop(stop);
    } catch (Rejected e) {
      reason = Execution.text(e);
      return Event.REFUSED;
    } catch (Exception e) {
      requireNotClosed(e);
      reason = Execution.text(e);
      return Event.LOST;
    } catch (OutOfMemoryError e) {
      // Of this process: whoever takes the run up finds it interrupted.
      throw e;
    } catch (Error e) {
      noteAttempt();
      throw e;
    }
  }

  /** That there was one, where the run is to wait for a person: he may take his time. */
  private void noteAttempt() {
    if (!isNoted) {
      note(Kind.INTENT, String.valueOf(firstAttempt));
      isNoted = true;
    }
  }

  private Event ask() {
    if (settles() && questions > 0) {
      waitToAsk();
    }
    questions++;
    flow.require();
    try {
      return answered(look());
    } catch (Stop stop) {
      throw flow.stop(stop);
    } catch (Exception e) {
      requireNotClosed(e);
      reason = "it could not be found out what became of it: " + Execution.text(e);
      return Event.NO_ANSWER;
    }
  }

  /**
   * From when on silence is a no: set when it is asked first.
   *
   * @return whether it had been set before
   */
  private boolean settles() {
    if (settlesAt != null) {
      return true;
    }
    settlesAt = execution.now().plus(Objects.requireNonNull(policy.settleAfter()));
    note(Kind.DOUBT, settlesAt.toString());
    return false;
  }

  private Seen<T> look() throws Exception {
    askedAt = execution.now();
    Seen<T> seen =
        Limited.call(execution.tools().timer(), policy.timeout(), () -> step.lookup().run(key));
    if (seen == null) {
      throw new IllegalStateException("the lookup has returned null");
    }
    return seen;
  }

  private Event answered(Seen<T> seen) {
    if (seen instanceof Seen.Happened<T> happened) {
      value = happened.result();
      return Event.HAPPENED;
    }
    if (seen instanceof Seen.WillNotHappen<T> not) {
      reason = not.reason();
      return Event.WILL_NOT_HAPPEN;
    }
    return Event.NOT_SEEN;
  }

  /** The usual wait between questions, or until silence is an answer. */
  private void waitToAsk() {
    Instant now = execution.now();
    Instant settles = Objects.requireNonNull(settlesAt);
    Duration wait = policy.retry().waitAfter(questions);
    if (now.isBefore(settles) && !now.plus(wait).isBefore(settles)) {
      flow.pauseUntil(settles, true);
    } else {
      flow.pause(wait, true);
    }
  }

  private void requireNotClosed(Exception e) {
    if (e instanceof InterruptedException) {
      Thread.currentThread().interrupt();
      throw flow.stop(Stop.lost("interrupted"));
    }
    // It may have failed for that, and is in doubt for whoever comes next.
    flow.require();
  }

  /** Recorded with what comes next: before anything else has an effect. */
  private T succeeded() {
    T result = value;
    if (result == null) {
      noteAttempt();
      throw flow.stop(
          Stop.stick(
              "The call of step %s has returned null. It has happened, and what it returned cannot be recorded: say what it is by hand. Return a value, or use a step without a result."
                  .formatted(step.name())));
    }
    String json = write(result);
    note(Kind.RESULT, json, null);
    undoable(null, false, () -> undo(Optional.of(result)));
    return result;
  }

  /** A result that cannot be written has happened all the same. */
  private String write(T result) {
    try {
      return execution.write("the result of step " + step.name(), result);
    } catch (RuntimeException e) {
      noteAttempt();
      throw flow.stop(Stop.stick(Execution.text(e)));
    }
  }

  private StepFailed failed(Kind kind, StepFailed.Kind as) {
    note(kind, reason);
    if (kind == Kind.UNKNOWN) {
      undoable(null, true, () -> undo(Optional.empty()));
    } else {
      execution.undos().remove(seq);
    }
    return new StepFailed(step.name(), as, reason, null);
  }

  private Stop stuck() {
    // A repeat would resolve it no more, and whoever takes the run up again has to know.
    noteAttempt();
    return flow.stop(
        Stop.stick(
            "What became of step %s is not known (%s). Look it up under the key %s, and say which: holdfast workflow resolve %s %s --happened JSON, or --rejected REASON."
                .formatted(step.name(), reason, key, execution.claimed().id(), step.name())));
  }

  private void note(Kind kind, @Nullable String text) {
    note(kind, null, text);
  }

  private void note(Kind kind, @Nullable String json, @Nullable String text) {
    int at = execution.journal().defer(kind, step.name(), json, text, execution.now());
    seq = seq == 0 ? at : seq;
  }

  private void undoable(@Nullable Recorded recorded, boolean isUnknown, Undos.Work work) {
    if (step.undoByKey() != null) {
      execution
          .undos()
          .add(seq, step.name(), policy.compensationRetry(), recorded, isUnknown, work);
    }
  }

  /** Of an attempt that may have had an effect: found out first, where that can be done. */
  private boolean settleAndUndo() throws Exception {
    if (!policy.hasLookup()) {
      return undo(Optional.empty());
    }
    questions = 0;
    while (true) {
      if (settles() && questions > 0) {
        waitToAsk();
      }
      questions++;
      execution.tenure().require();
      Event event = answered(look());
      if (event == Event.HAPPENED) {
        return undo(Optional.of(Objects.requireNonNull(value)));
      }
      if (event == Event.WILL_NOT_HAPPEN || isSettled()) {
        return false;
      }
    }
  }

  private boolean undo(Optional<T> result) throws Exception {
    execution.flush();
    execution.tenure().require();
    Limited.call(
        execution.tools().timer(),
        policy.timeout(),
        () -> {
          Objects.requireNonNull(step.undoByKey()).run(key, result);
          return true;
        });
    return false;
  }
}
