package dev.holdfast.workflow;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Learns what this process does with workflows, for meters, traces and logs. It changes nothing of
 * what is promised: what it throws is logged and dropped.
 *
 * <p>It is told of what is recorded, so that nothing is told twice, and what a crash takes back was
 * never told; what a crash comes too early for to be told is told by nobody. It is called on the
 * threads that do the work, branches among them, so it must be thread-safe and quick, and must not
 * call the database.
 */
public interface WorkflowListener {

  /**
   * A run is being started, on the starter's thread and within whatever context that has; a child,
   * on a thread of its parent's. In a transaction it may be rolled back.
   *
   * @param attributes what it is started with; a child has its parent's trace context
   * @return what it is started with instead: the same, or the same with more
   */
  Map<String, String> starting(String id, Workflow<?, ?> workflow, Map<String, String> attributes);

  /** This process has taken a run up, and begins to run its function, on this thread. */
  Executing executing(Run run);

  /**
   * A run that was taken up.
   *
   * @param isTakenOver whether it was running under an executor that is gone
   */
  record Run(
      String id,
      String name,
      int version,
      String operationId,
      Map<String, String> attributes,
      boolean isTakenOver) {}

  /** A run while it is executed here: from being taken up until it waits, or has ended. */
  interface Executing {
    /** Nothing to do. */
    Executing IGNORED =
        new Executing() {
          @Override
          public void stepEnded(StepEnd end) {}

          @Override
          public void unwinding(String reason) {}

          @Override
          public void left(RunStatus status, @Nullable String reason) {}
        };

    /** Something has become of a step, and is committed. Of several branches at once. */
    void stepEnded(StepEnd end);

    /** The run is given up for this reason, and what it did is undone from now on. */
    void unwinding(String reason);

    /**
     * It is executed no more, on the thread on which it began. Called once, unless the process
     * dies.
     *
     * @param status {@code PARKED} where it waits, {@code RUNNING} where another process has it or
     *     will have
     */
    void left(RunStatus status, @Nullable String reason);
  }

  /** What became of a step. */
  enum Outcome {
    /** It has its result. */
    RESULT,
    /** It has had no effect, and will have none. */
    REJECTED,
    /** It is not known, and the step is given up. */
    UNKNOWN,
    /** It is undone. */
    UNDONE
  }

  /**
   * A step's end, or that of its undoing.
   *
   * @param step its name in the journal: with the branch that it is in, and how often the name came
   *     before
   * @param attempts from 1, those of other processes included
   * @param took from its beginning, which may have been in another process, or since its waiting
   *     began
   * @param ago how long ago it ended: it is told of when that is committed
   * @param reason why it has no result
   */
  record StepEnd(
      String step,
      Outcome outcome,
      int attempts,
      Duration took,
      Duration ago,
      @Nullable String reason) {}

  /** One that calls these in order, and never throws. Without any, it does nothing. */
  static WorkflowListener all(List<WorkflowListener> listeners) {
    return new GuardedListeners(listeners);
  }
}
