package dev.holdfast.internal.workflow;

import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.store.Entry.Kind;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What undoes a run's steps, in the order in which they were begun. Thread-safe. */
final class Undos {
  /** Undoes one step. */
  @FunctionalInterface
  interface Work {
    /**
     * @return whether that is recorded already
     */
    boolean run() throws Exception;
  }

  private record Undo(String step, Retry retry, int failures, boolean isUnknown, Work work) {}

  private final TreeMap<Integer, Undo> bySeq = new TreeMap<>();

  /**
   * @param seq of the first that is recorded of the step
   */
  synchronized void add(
      int seq,
      String step,
      Retry retry,
      @Nullable Recorded recorded,
      boolean isUnknown,
      Work work) {
    if (recorded == null || !recorded.isUndone()) {
      int failures = recorded == null ? 0 : recorded.undoAttempts();
      bySeq.put(seq, new Undo(step, retry, failures, isUnknown, work));
    }
  }

  /** The step has had no effect. */
  synchronized void remove(int seq) {
    bySeq.remove(seq);
  }

  /** The last one first. */
  void run(Execution execution) {
    for (Optional<Undo> undo = last(); undo.isPresent(); undo = last()) {
      new One(execution, undo.get()).run();
      synchronized (this) {
        bySeq.pollLastEntry();
      }
    }
  }

  /** Those alone of steps that were given up as unknown. */
  void runUnknown(Execution execution) {
    for (Map.Entry<Integer, Undo> each : unknown()) {
      new One(execution, each.getValue()).run();
      remove(each.getKey());
    }
  }

  /** What is left to be undone, by the number under which it was begun. */
  synchronized Map<Integer, String> left(boolean unknownAlone) {
    Map<Integer, String> left = new TreeMap<>();
    bySeq.forEach(
        (seq, undo) -> {
          if (undo.isUnknown() || !unknownAlone) {
            left.put(seq, undo.step());
          }
        });
    return left;
  }

  private synchronized List<Map.Entry<Integer, Undo>> unknown() {
    return bySeq.descendingMap().entrySet().stream()
        .filter(each -> each.getValue().isUnknown())
        .map(each -> Map.entry(each.getKey(), each.getValue()))
        .toList();
  }

  private synchronized Optional<Undo> last() {
    return Optional.ofNullable(bySeq.lastEntry()).map(Map.Entry::getValue);
  }

  /** One of them, until it is done. */
  private static final class One {
    private final Execution execution;
    private final Undo undo;
    private int failures;

    One(Execution execution, Undo undo) {
      this.execution = execution;
      this.undo = undo;
      this.failures = undo.failures();
    }

    void run() {
      execution.watch().beginsToUndo(undo.step(), failures);
      while (!succeeds()) {
        failures++;
      }
    }

    private boolean succeeds() {
      try {
        execution.tenure().require();
        if (!undo.work().run()) {
          Instant now = execution.now();
          execution.journal().defer(Kind.UNDONE, undo.step(), null, null, now);
        }
        return true;
      } catch (Stop stop) {
        throw stop;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw Stop.lost("interrupted");
      } catch (Exception e) {
        failed(e);
        return false;
      }
    }

    private void failed(Exception e) {
      String reason = Execution.text(e);
      if (failures + 1 >= undo.retry().attempts()) {
        throw Stop.stick(
            "Step %s could not be undone in %,d attempts: %s. What comes after it is undone, what came before it is not. Mend what it needs and retry the run, or skip this step by hand."
                .formatted(undo.step(), failures + 1, reason));
      }
      execution.journal().defer(Kind.UNDO_ATTEMPT, undo.step(), null, reason, execution.now());
      Pause.of(execution, undo.retry().waitAfter(failures + 1));
    }
  }
}
