package dev.holdfast.internal.workflow;

import dev.holdfast.TransactionWork;
import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.Step;
import dev.holdfast.workflow.StepFailed;
import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.Entry.Kind;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A step, while it is being described, in all the stages that a description has. */
final class StepRun<T> implements Step<T>, Step.Transacted<T>, Step.Looked<T>, Step.Called<T> {
  private final FlowContext flow;
  private final String step;
  private final Class<T> type;
  private final Policy policy;
  private final @Nullable Undo<T> undo;
  private final @Nullable UndoByKey<T> undoByKey;
  private final @Nullable Lookup<T> lookup;

  StepRun(FlowContext flow, String step, Class<T> type, Policy policy) {
    this(flow, step, type, policy, null, null, null);
  }

  private StepRun(
      FlowContext flow,
      String step,
      Class<T> type,
      Policy policy,
      @Nullable Undo<T> undo,
      @Nullable UndoByKey<T> undoByKey,
      @Nullable Lookup<T> lookup) {
    this.flow = flow;
    this.step = step;
    this.type = type;
    this.policy = policy;
    this.undo = undo;
    this.undoByKey = undoByKey;
    this.lookup = lookup;
  }

  private StepRun<T> with(Policy other) {
    return new StepRun<>(flow, step, type, other, undo, undoByKey, lookup);
  }

  /** A call has other retries than a transaction when nobody says anything. */
  private Policy ofACall() {
    return policy.retry().equals(Retry.NONE) ? policy.withRetry(Retry.CALL) : policy;
  }

  FlowContext flow() {
    return flow;
  }

  String name() {
    return step;
  }

  Class<T> type() {
    return type;
  }

  Policy policy() {
    return policy;
  }

  @Nullable Undo<T> undo() {
    return undo;
  }

  @Nullable UndoByKey<T> undoByKey() {
    return undoByKey;
  }

  Lookup<T> lookup() {
    return Objects.requireNonNull(lookup);
  }

  @Override
  public StepRun<T> retry(Retry retry) {
    return with(policy.withRetry(retry));
  }

  @Override
  public StepRun<T> retryCompensation(Retry retry) {
    return with(policy.withCompensationRetry(retry));
  }

  @Override
  public StepRun<T> compensate(Undo<T> work) {
    return new StepRun<>(flow, step, type, policy.withCompensation(), work, undoByKey, lookup);
  }

  @Override
  public StepRun<T> compensate(UndoByKey<T> work) {
    return new StepRun<>(flow, step, type, ofACall().withCompensation(), undo, work, lookup);
  }

  @Override
  public StepRun<T> compensateByKey(UndoByKey<T> work) {
    return compensate(work);
  }

  @Override
  public StepRun<T> lookup(Lookup<T> work) {
    return new StepRun<>(flow, step, type, ofACall(), undo, undoByKey, work);
  }

  @Override
  public StepRun<T> settleAfter(Duration time) {
    return with(checked(() -> policy.withSettleAfter(time)));
  }

  @Override
  public StepRun<T> keyKeptFor(Duration keptFor) {
    return with(checked(() -> ofACall().withKeyKeptFor(keptFor)));
  }

  @Override
  public StepRun<T> parkUnknown() {
    return with(ofACall().withParking());
  }

  @Override
  public StepRun<T> timeout(Duration time) {
    return with(checked(() -> policy.withTimeout(time)));
  }

  /** What cannot be used is for a person, and no reason to undo anything. */
  private Policy checked(java.util.function.Supplier<Policy> change) {
    try {
      return change.get();
    } catch (RuntimeException e) {
      throw flow.stop(Stop.stick("Step " + step + ": " + Execution.text(e)));
    }
  }

  @Override
  public T transact(TransactionWork<T> work) {
    return new TransactionRun<>(this, work).run();
  }

  @Override
  public T transactAndComplete(TransactionWork<T> work) {
    return new TransactionRun<>(this, work).complete();
  }

  @Override
  public T call(Call<T> call) {
    return new CallRun<>(this, call).run();
  }

  @Override
  public T compute(Computation<T> computation) {
    Optional<Recorded> known = flow.visit(step);
    if (known.isPresent() && known.get().end() != null) {
      return ended(known.get().end());
    }
    flow.beforeNew();
    Execution execution = flow.execution();
    try {
      T value = computation.run();
      String json = execution.write("the result of step " + step, value);
      execution.journal().defer(Kind.RESULT, step, json, null, execution.now());
      return value;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw flow.stop(Stop.lost("interrupted"));
    } catch (Exception e) {
      flow.require();
      String reason = Execution.text(e);
      execution.journal().defer(Kind.REJECTED, step, null, reason, execution.now());
      throw new StepFailed(step, StepFailed.Kind.REJECTED, reason, e);
    }
  }

  /** What a step has come to that is recorded. */
  T ended(Entry end) {
    return switch (end.kind()) {
      case RESULT -> flow.read(String.valueOf(end.value()), type);
      case UNKNOWN ->
          throw new StepFailed(step, StepFailed.Kind.UNKNOWN, String.valueOf(end.note()), null);
      default ->
          throw new StepFailed(step, StepFailed.Kind.REJECTED, String.valueOf(end.note()), null);
    };
  }
}
