package dev.holdfast.crashtest.resource;

/**
 * A {@link CommitAction} that a client may hold back for a while after it has returned, so that it
 * dies with the process though the code has gone on.
 *
 * @param <T> what it returns to the code under test
 * @param <E> what it throws to the code under test
 */
public interface DeferredAction<T, E extends Exception> extends CommitAction<T, E> {

  /**
   * Does not do it, but returns as if the client had taken it and would do it soon; called in place
   * of the {@code perform} methods.
   *
   * @param onWaiting to be run when the code under test waits for the answer, which never comes
   */
  T withhold(Runnable onWaiting);
}
