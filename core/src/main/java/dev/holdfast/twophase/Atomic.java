package dev.holdfast.twophase;

import dev.holdfast.Isolation;
import dev.holdfast.TransactionOptions;
import dev.holdfast.internal.twophase.Coordinator;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An operation across two databases or more, being described; made by {@link
 * dev.holdfast.Holdfast#atomic}. Not thread-safe; {@link #run} may be called again.
 */
public final class Atomic {
  private final Coordinator coordinator;
  private final List<Participant> participants = new ArrayList<>();
  private TransactionOptions options = TransactionOptions.DEFAULT;

  /** For {@link dev.holdfast.Holdfast#atomic}. */
  public Atomic(Coordinator coordinator) {
    this.coordinator = coordinator;
  }

  /** What is done. */
  @FunctionalInterface
  public interface Work<T extends @Nullable Object> {
    T run(AtomicTransaction tx) throws SQLException;
  }

  /** What is done, without a result. */
  @FunctionalInterface
  public interface Body {
    void run(AtomicTransaction tx) throws SQLException;
  }

  /** Another database that takes part; one that is not used in the work costs nothing. */
  public Atomic with(Participant participant) {
    participants.add(participant);
    return this;
  }

  /** The isolation level in every database, how often it is tried, and the operation's id. */
  public Atomic options(TransactionOptions value) {
    options = value;
    return this;
  }

  /** The isolation level in every database; none of them makes the whole serializable. */
  public Atomic isolation(Isolation level) {
    return options(options.withIsolation(level));
  }

  /** The id under which everything this operation records can be found again. */
  public Atomic operationId(String id) {
    return options(options.withOperationId(id));
  }

  /** As {@link dev.holdfast.Holdfast#atomically}. */
  public void run(Body body) {
    runReturning(
        tx -> {
          body.run(tx);
          return Boolean.TRUE;
        });
  }

  /** As {@link #run}, with a result. */
  public <T extends @Nullable Object> T runReturning(Work<T> work) {
    return coordinator.run(options, List.copyOf(participants), work);
  }

  /**
   * Does the work as a part of a transaction of the deciding database that somebody else manages,
   * and prepares what it did elsewhere: it is committed there if and only if that transaction is.
   * Whoever commits it tells the result of this by {@link Joined#committed} or {@link
   * Joined#rolledBack}; when nobody does, recovery finds out by itself, some seconds later, and
   * until then the other databases keep their locks.
   *
   * <p>The transaction has to be committed within {@link TwoPhaseSettings#decideWithin} after this,
   * and may not be left alone by its client for as long; its waits for locks are bounded from here
   * on, and its commit is flushed. When this throws, nothing of it is left in the transaction,
   * which may go on.
   *
   * @param connection in a transaction: not in autocommit mode
   * @throws dev.holdfast.NoTransaction when the connection is in autocommit mode; nothing was done
   */
  public <T extends @Nullable Object> Joined<T> join(Connection connection, Work<T> work) {
    return coordinator.join(connection, options, List.copyOf(participants), work);
  }
}
