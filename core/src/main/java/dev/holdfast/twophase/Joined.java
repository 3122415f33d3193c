package dev.holdfast.twophase;

import dev.holdfast.boundary.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * What was prepared in other databases on behalf of a transaction that somebody else ends. See
 * {@link Atomic#join}. To be told of the end by one thread.
 *
 * @param <T> the type of the work's result
 */
public interface Joined<T extends @Nullable Object> extends AutoCloseable {

  /** What the work returned. */
  T result();

  /**
   * The transaction is committed: commits the branches, or hands that over when a database cannot
   * be reached. Asks the deciding database first, which is a round trip.
   *
   * @throws dev.holdfast.NoTransaction when it does not have the decision: the transaction is open,
   *     or the work was rolled back. The branches are left to recovery
   * @throws HeuristicOutcome when somebody else rolled a branch back
   */
  void committed();

  /** The transaction is rolled back: rolls the branches back. */
  void rolledBack();

  /**
   * Asks the deciding database what became of the transaction, when the reply to its commit was
   * lost, and does the same in the other databases.
   *
   * @return {@code Unknown} while it is still open
   * @throws dev.holdfast.StoreUnavailable when the database cannot be reached
   */
  Outcome resolve();

  /** Leaves what was neither committed nor rolled back to recovery. */
  @Override
  void close();
}
