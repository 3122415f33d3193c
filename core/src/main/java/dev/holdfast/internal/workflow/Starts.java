package dev.holdfast.internal.workflow;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.internal.Combiner;
import dev.holdfast.workflow.store.WorkflowStore;
import dev.holdfast.workflow.store.WorkflowStore.NewRun;
import dev.holdfast.workflow.store.WorkflowStore.Start;
import dev.holdfast.workflow.store.WorkflowStore.Started;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Starts of several runs in one commit, as {@link Combiner} brings them together. One that would
 * keep the others waiting, or that the database refuses, is started alone. Thread-safe.
 */
public final class Starts {
  private static final int AT_ONCE = 64;

  private static final class Pending {
    final Start start;
    @Nullable Started started;

    Pending(Start start) {
      this.start = start;
    }
  }

  private final WorkflowStore store;
  private final int charactersAtMost;
  private final Combiner<Pending> combiner = new Combiner<>(Room::new, this::startAll);

  /**
   * @param charactersAtMost how many the inputs of those have that share a commit
   */
  public Starts(WorkflowStore store, int charactersAtMost) {
    this.store = store;
    this.charactersAtMost = charactersAtMost;
  }

  /**
   * Returns when it is committed. An interrupt does not take it back; the flag is set then.
   *
   * @param executor as in {@link WorkflowStore#start}
   */
  public Started start(NewRun run, @Nullable Long executor) {
    Pending pending = new Pending(new Start(run, executor));
    combiner.submit(pending);
    Started started = pending.started;
    return started != null ? started : store.startAlone(run, executor);
  }

  private void startAll(List<Pending> all) {
    // In one order, so that no two processes wait for each other.
    List<Pending> ordered = new ArrayList<>(all);
    ordered.sort(Comparator.comparing(pending -> pending.start.run().id()));
    try {
      List<Started> started = store.startAll(ordered.stream().map(each -> each.start).toList());
      for (int i = 0; i < ordered.size(); i++) {
        ordered.get(i).started = started.get(i);
      }
    } catch (DatabaseFailure e) {
      // Nothing was started. Each is alone now, and is told of its own failure alone.
    }
  }

  /** As many as one commit takes. */
  private final class Room implements Predicate<Pending> {
    private int number;
    private long characters;

    @Override
    public boolean test(Pending pending) {
      characters += pending.start.run().input().length();
      return ++number <= AT_ONCE && (number == 1 || characters <= charactersAtMost);
    }
  }
}
