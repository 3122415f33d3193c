package dev.holdfast.internal.workflow;

import dev.holdfast.TransactionBody;
import dev.holdfast.workflow.Action;
import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.Step;
import java.time.Duration;

/** A step whose result is that it was done. */
final class ActionRun implements Action, Action.Transacted, Action.Looked, Action.Called {
  private final StepRun<Boolean> step;

  ActionRun(StepRun<Boolean> step) {
    this.step = step;
  }

  @Override
  public void transact(TransactionBody body) {
    step.transact(
        tx -> {
          body.run(tx);
          return true;
        });
  }

  @Override
  public void call(Call call) {
    step.call(
        key -> {
          call.run(key);
          return true;
        });
  }

  @Override
  public ActionRun retry(Retry retry) {
    return new ActionRun(step.retry(retry));
  }

  @Override
  public ActionRun retryCompensation(Retry retry) {
    return new ActionRun(step.retryCompensation(retry));
  }

  @Override
  public ActionRun compensate(Undo undo) {
    return new ActionRun(step.compensate((Step.Undo<Boolean>) (tx, done) -> undo.run(tx)));
  }

  @Override
  public ActionRun compensate(UndoByKey undo) {
    return compensateByKey(undo);
  }

  @Override
  public ActionRun compensateByKey(UndoByKey undo) {
    return new ActionRun(step.compensateByKey((key, done) -> undo.run(key)));
  }

  @Override
  public ActionRun lookup(Lookup lookup) {
    return new ActionRun(step.lookup(lookup::run));
  }

  @Override
  public ActionRun settleAfter(Duration time) {
    return new ActionRun(step.settleAfter(time));
  }

  @Override
  public ActionRun keyKeptFor(Duration keptFor) {
    return new ActionRun(step.keyKeptFor(keptFor));
  }

  @Override
  public ActionRun parkUnknown() {
    return new ActionRun(step.parkUnknown());
  }

  @Override
  public ActionRun timeout(Duration time) {
    return new ActionRun(step.timeout(time));
  }
}
