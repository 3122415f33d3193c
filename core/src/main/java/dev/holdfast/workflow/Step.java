package dev.holdfast.workflow;

import dev.holdfast.Transaction;
import dev.holdfast.TransactionWork;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;

/**
 * A step that is being described; what ends the description runs it. Not thread-safe.
 *
 * @param <T> the result's type, as the codec can write and read it
 */
public interface Step<T> {

  /**
   * Runs work whose rows and whose record are one commit. Run again on a serialization failure, a
   * deadlock, or when the database cannot be reached; for what else it throws see {@link #retry}.
   *
   * @throws StepFailed when it has thrown something and is not to be run again; it is rolled back
   */
  T transact(TransactionWork<T> work);

  /**
   * As {@link #transact}, and the run ends in the same commit, with this result: one forced write
   * less than where its function returns behind the step. Does not return: what the function has
   * behind it is not run, but for its {@code finally}. Of the function's own path, and not of a
   * branch; with a result of the type that the workflow has.
   *
   * @return nothing; so that the function can say {@code return}
   * @throws StepFailed when it has thrown something and is not to be run again; it is rolled back,
   *     and the run goes on
   */
  T transactAndComplete(TransactionWork<T> work);

  /**
   * Computes a value that may come out differently each time, and has no effect. Recorded with the
   * next record; a crash before that computes it again.
   *
   * @throws StepFailed when it has thrown something
   */
  T compute(Computation<T> computation);

  /** How often work that throws is run before the step has failed; once when not set. */
  Step<T> retry(Retry retry);

  /** What undoes the step, in one commit with the record that it was undone. */
  Transacted<T> compensate(Undo<T> undo);

  /**
   * How a call of this step is undone, under the key of the call. It must bear repetition. Where
   * the step has no lookup, it may be called while a request of the step is still under way:
   * whoever is called must not execute that when it arrives, as a service does that keeps the key
   * of what was undone before it came.
   */
  Called<T> compensateByKey(UndoByKey<T> undo);

  /** How it can be found out what became of a call. */
  Looked<T> lookup(Lookup<T> lookup);

  /**
   * That whoever is called keeps the step's key: a repeat under it is answered, and not executed.
   *
   * @param keptFor for how long after the first call; what is not resolved by then waits for a
   *     person
   */
  Called<T> keyKeptFor(Duration keptFor);

  /** That a call whose outcome is not known waits for a person. */
  Called<T> parkUnknown();

  /** A value and nothing else. */
  @FunctionalInterface
  interface Computation<T> {
    T run() throws Exception;
  }

  /** Undoes a transaction's step, within a transaction. */
  @FunctionalInterface
  interface Undo<T> {
    void run(Transaction tx, T result) throws SQLException;
  }

  /** Undoes a call. */
  @FunctionalInterface
  interface UndoByKey<T> {
    /**
     * @param key what it was called with
     * @param result empty when it is not known whether the call had its effect
     */
    void run(String key, Optional<T> result) throws Exception;
  }

  /** Asks what became of a call; has no effect, and throws when it has no answer. */
  @FunctionalInterface
  interface Lookup<T> {
    Seen<T> run(String key) throws Exception;
  }

  /** Calls somebody else. */
  @FunctionalInterface
  interface Call<T> {
    /**
     * @param key the same at every attempt, and at no other step of any run
     * @throws Rejected when it is certain that no attempt had or will have an effect
     * @throws Exception anything else leaves the outcome open
     */
    T run(String key) throws Exception;
  }

  /** A step with a compensation that ends in a transaction. */
  interface Transacted<T> {
    Transacted<T> retry(Retry retry);

    /** How often the compensation is tried; {@link Retry#COMPENSATION} when not set. */
    Transacted<T> retryCompensation(Retry retry);

    /** As {@link Step#transact}. */
    T transact(TransactionWork<T> work);

    /**
     * As {@link Step#transactAndComplete}; undone where the run is a child, and its parent is
     * undone.
     */
    T transactAndComplete(TransactionWork<T> work);
  }

  /** A step with a lookup that does not say yet when silence is a no. */
  interface Looked<T> {
    /**
     * For how long after the last attempt an effect that is not seen may still come.
     *
     * @param time up to 30 days
     */
    Called<T> settleAfter(Duration time);
  }

  /** A step that can end in a call. */
  interface Called<T> {
    /** How often the call is attempted at most; {@link Retry#CALL} when not set. */
    Called<T> retry(Retry retry);

    /** As {@link Step#keyKeptFor}, beside what was said before. */
    Called<T> keyKeptFor(Duration keptFor);

    /** After how long the call is interrupted, and its outcome open; 30 s when not set. */
    Called<T> timeout(Duration time);

    /** As {@link Step#compensateByKey}. */
    Called<T> compensate(UndoByKey<T> undo);

    /** How often the compensation is tried; {@link Retry#COMPENSATION} when not set. */
    Called<T> retryCompensation(Retry retry);

    /**
     * Calls. The intent is recorded before it where that is needed to resolve it, the result before
     * anything else has an effect.
     *
     * @throws StepFailed when it is rejected, or its outcome stays open and can be compensated
     */
    T call(Call<T> call);
  }
}
