package dev.holdfast.internal.workflow;

import dev.holdfast.workflow.Flow.Branch;
import dev.holdfast.workflow.StepFailed;
import dev.holdfast.workflow.store.WorkflowStore.Change;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * The same for several items, each in a branch of its own. All are run, also when one of them has
 * failed or waits: what they did has to come by for it to be undone.
 */
final class Branches<I, T> {
  private final FlowContext parent;
  private final String step;
  private final List<I> items;
  private final Branch<I, T> branch;

  Branches(FlowContext parent, String step, List<I> items, Branch<I, T> branch) {
    this.parent = parent;
    this.step = step;
    this.items = items;
    this.branch = branch;
  }

  private final class One implements Runnable {
    final int index;
    final FlowContext flow;
    final CompletableFuture<Boolean> over = new CompletableFuture<>();
    @Nullable T result;
    @Nullable Throwable failure;

    One(int index) {
      this.index = index;
      this.flow = new FlowContext(parent.execution(), step + "[" + index + "]/");
    }

    @Override
    public void run() {
      try {
        result = branch.run(flow, items.get(index));
        failure = flow.stopped();
      } catch (Throwable e) {
        Stop stopped = flow.stopped();
        failure = stopped == null ? e : stopped;
      } finally {
        over.complete(true);
      }
    }
  }

  List<T> run() {
    List<One> all = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      all.add(new One(i));
    }
    List<One> here = new ArrayList<>();
    for (One one : all) {
      if (one.index == 0 || !hasThread(one)) {
        here.add(one);
      }
    }
    here.forEach(One::run);
    all.forEach(one -> one.over.join());
    all.forEach(one -> parent.execution().journal().join(one.flow.path(), parent.path()));
    return results(all);
  }

  private boolean hasThread(One one) {
    try {
      parent.execution().tools().branches().execute(one);
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  private List<T> results(List<One> all) {
    Stop park = null;
    List<T> results = new ArrayList<>();
    Throwable failed = null;
    for (One one : all) {
      Throwable failure = one.failure;
      if (failure instanceof Stop stop) {
        park = merge(park, stop);
      } else if (failure != null) {
        failed = failed == null ? failure : failed;
      } else {
        results.add(one.result);
      }
    }
    // A branch in doubt is waited for: what comes behind a failure may end the run.
    if (park != null && (failed == null || park.kind() != Stop.Kind.PARK || park.isInDoubt())) {
      throw parent.stop(park);
    }
    if (failed != null) {
      throw asItIs(failed);
    }
    return results;
  }

  /** What ends the run comes before what undoes it, and that before a wait. */
  private static Stop merge(@Nullable Stop one, Stop other) {
    if (one == null) {
      return other;
    }
    if (one.kind() == Stop.Kind.PARK && other.kind() == Stop.Kind.PARK) {
      Stop both = Stop.park(merge(one.park(), other.park()));
      return one.isInDoubt() || other.isInDoubt() ? both.inDoubt() : both;
    }
    return one.kind().compareTo(other.kind()) >= 0 ? one : other;
  }

  private static Change.Park merge(Change.@Nullable Park one, Change.@Nullable Park other) {
    if (one == null || other == null) {
      throw new IllegalStateException("A branch waits for nothing.");
    }
    List<String> signals = new ArrayList<>(one.signals());
    signals.addAll(other.signals());
    return new Change.Park(earlier(one.due(), other.due()), signals);
  }

  private static @Nullable Instant earlier(@Nullable Instant one, @Nullable Instant other) {
    if (one == null || other == null) {
      return one == null ? other : one;
    }
    return one.isBefore(other) ? one : other;
  }

  /** Checked exceptions, which the caller does not declare, as the cause of one that is not. */
  private RuntimeException asItIs(Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    return failure instanceof RuntimeException unchecked
        ? unchecked
        : new StepFailed(step, StepFailed.Kind.REJECTED, Execution.text(failure), failure);
  }
}
