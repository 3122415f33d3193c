package dev.holdfast.crashtest.resource;

/**
 * The real thing behind a {@link Commit}. The lab calls one of the two {@code perform} methods at
 * most once.
 *
 * @param <T> what it returns to the code under test
 * @param <E> what it throws to the code under test
 */
public interface CommitAction<T, E extends Exception> {

  /** Does it, and returns what the resource answered; not null. */
  T perform() throws E;

  /**
   * Waits until the effect of what {@link #perform} began is done. Nothing to do where the answer
   * comes after the effect. Also asked after {@link #performLosingAnswer} has returned, whether the
   * client library knows the answer nevertheless.
   *
   * @return whether it is done; otherwise the resource refused it, or did not answer in time
   */
  boolean awaitEffect(T answer);

  /**
   * Does it, such that the resource has done its part and its answer is lost on the way: the client
   * library is left to make of that what it makes of it.
   *
   * @throws UnsupportedOperationException when this resource was not wrapped behind a relay; the
   *     message says what to do
   */
  T performLosingAnswer() throws E;
}
