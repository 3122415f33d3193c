package dev.holdfast.workflow;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * One run of a workflow, as its function sees it. Valid inside the function only, on the thread
 * that called it; each branch of {@link #parallel} has its own.
 *
 * <p>Names of steps are 1 to 100 characters without {@code /} and {@code #}; they are what the
 * journal knows a step by, together with how often the name came before. A run has at most 50,000
 * entries of its steps; one that would have more is stuck. Where the function stops to wait, an
 * {@link Error} passes through it that must not be kept from passing.
 */
public interface Flow {

  /** The run's id, as it was started. */
  String id();

  /** The id of the business operation, which every record of it carries. */
  String operationId();

  /** A step with a result. */
  <T> Step<T> step(String name, Class<T> type);

  /** A step without a result. */
  Action step(String name);

  /**
   * From here on there is no way back: what fails is repeated or waits for a person, nothing is
   * undone, and a cancellation is refused. Recorded with the next step.
   */
  void pivot();

  /**
   * Waits without a thread. By the database's clock, from when the function came here first.
   *
   * @param name a step's name
   * @param time 0 to 3,650 days
   */
  void sleep(String name, Duration time);

  /**
   * Waits without a thread for a signal of this name; signals that came before count, the first one
   * first, and each is received once.
   *
   * @return empty when none had come in time
   */
  <T> Optional<T> await(String signal, Class<T> type, Duration atMost);

  /**
   * Runs another workflow and waits for its end without a thread. It is started once, in the commit
   * of this step, under this run's id, a slash and the step's name (and {@code @1} where this run
   * was restarted before it). Where this run is undone the child is as well, in its turn: cancelled
   * where it has not ended, else its own compensations are run; a child that has completed behind
   * its pivot leaves this run to a person.
   *
   * @throws StepFailed when it has failed or was cancelled, or there is a run of that id already
   *     that somebody else has started
   */
  <I, O> O child(String name, Workflow<I, O> workflow, I input);

  /** What is done for each of several items. */
  @FunctionalInterface
  interface Branch<I, T> {
    T run(Flow flow, I item) throws Exception;
  }

  /**
   * Does the same for several items at once: each in its own branch, whose steps have names of
   * their own. Returns when all have ended; when one has failed it throws what the first of them
   * threw, after the others have come to an end or a wait; a checked exception as the cause of a
   * {@link StepFailed}.
   *
   * @param items at most 1,000, the same at every run
   */
  <I, T> List<T> parallel(String name, List<I> items, Branch<I, T> branch);

  /**
   * Whether this run takes a change of the function: true for runs that come here first with it,
   * false for those that had passed here before. Recorded with the next step.
   *
   * @param change names the change; to be kept as long as there are runs from before it
   */
  boolean patch(String change);
}
