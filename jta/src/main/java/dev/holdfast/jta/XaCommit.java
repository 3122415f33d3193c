package dev.holdfast.jta;

import dev.holdfast.HoldfastException;
import jakarta.transaction.HeuristicMixedException;
import jakarta.transaction.HeuristicRollbackException;
import jakarta.transaction.NotSupportedException;
import jakarta.transaction.RollbackException;
import jakarta.transaction.Status;
import jakarta.transaction.SystemException;
import jakarta.transaction.Transaction;
import jakarta.transaction.TransactionManager;
import jakarta.transaction.UserTransaction;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Transactions that commit in several places or in none, where the places speak XA: databases with
 * an {@code XADataSource}, brokers with an {@code XAConnectionFactory}. Narayana coordinates.
 *
 * <p>A transaction of two participants costs four forced writes of theirs and one of the log of
 * decisions; one in which a single participant takes part is a plain commit. Between the first
 * participant's commit and the last one's others can see the one without the other.
 *
 * <p><b>After a crash</b> a participant's part may be prepared and undecided, and keeps its locks.
 * Recovery ends it: it runs in this process from its start on, and every so often, and commits what
 * the log says is decided and rolls back what it does not know, of this node identifier. So the
 * next process must have the same node identifier, log and participants. With another node
 * identifier, or without the log, such parts stay as they are.
 *
 * <p>Safe for use by several threads; a transaction belongs to the thread that began it. One in a
 * JVM, since Narayana is. Based on the XA specification (X/Open, 1991) and Jakarta Transactions
 * 2.0.
 */
public final class XaCommit implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(XaCommit.class);

  private final Map<XaParticipant<?>, Link<?>> links;
  private final Log decisions;
  private final Coordinator coordinator;
  private final Map<Transaction, Unit> units = new ConcurrentHashMap<>();
  private volatile boolean closed;

  XaCommit(Map<XaParticipant<?>, Link<?>> links, Log decisions, Coordinator coordinator) {
    this.links = links;
    this.decisions = decisions;
    this.coordinator = coordinator;
  }

  /**
   * Begins to describe a coordinator.
   *
   * @param nodeIdentifier names this process among all that use the same participants, and the same
   *     over its restarts: 1 to 28 lower-case letters, digits and underscores, and not Narayana's
   *     default "1"
   * @throws dev.holdfast.InvalidConfiguration when it cannot be used
   */
  public static XaCommitBuilder as(String nodeIdentifier) {
    return new XaCommitBuilder(nodeIdentifier);
  }

  /**
   * Runs work in a transaction of two participants and commits it. When the work throws, everything
   * is rolled back and what it threw leaves this method. Returns when the transaction is decided
   * and every participant that answers has committed; one that does not answer any more commits by
   * recovery.
   *
   * @throws XaRolledBack when a participant could not prepare, or the transaction took too long
   * @throws XaOutcomeUnknown when it has not plainly committed or rolled back
   * @throws HoldfastException when the thread already is in a transaction, or none can begin;
   *     nothing was done
   */
  public <A, B, X extends Exception> void atomically(
      XaParticipant<A> first, XaParticipant<B> second, XaPairWork<A, B, X> work) throws X {
    this.<X>atomically(tx -> work.run(tx.in(first), tx.in(second)));
  }

  /**
   * The same with any number of participants, which join as they are asked for.
   *
   * @throws XaRolledBack when a participant could not prepare, or the transaction took too long
   * @throws XaOutcomeUnknown when it has not plainly committed or rolled back
   * @throws HoldfastException when the thread already is in a transaction, or none can begin;
   *     nothing was done
   */
  public <X extends Exception> void atomically(XaWork<X> work) throws X {
    begin();
    Unit unit;
    try {
      unit = unit();
      work.run(unit);
    } catch (Throwable e) {
      rollBack(e);
      throw e;
    }
    commit(unit);
  }

  /**
   * A participant's part of the transaction that this thread is in, whoever began it through {@link
   * #transactionManager} or {@link #userTransaction}, Spring for example, and will end it.
   *
   * @throws HoldfastException when there is none
   */
  public <T> T join(XaParticipant<T> participant) {
    return unit().in(participant);
  }

  /** For frameworks that begin and end transactions by JTA. Recovery covers those as well. */
  public TransactionManager transactionManager() {
    return coordinator.manager();
  }

  /** For frameworks that begin and end transactions by JTA. */
  public UserTransaction userTransaction() {
    return coordinator.userTransaction();
  }

  /**
   * Looks for parts of transactions that are in doubt, and ends those that can be: all of this node
   * identifier whose participant answers and whose transaction is not under way. Returns when that
   * is done, after some seconds. It happens by itself every so often.
   */
  public void recover() {
    // An orphan is ended by the scan after the one that found it.
    coordinator.scan();
    coordinator.scan();
  }

  private void begin() {
    if (closed) {
      throw new HoldfastException("The coordinator is closed. Nothing was done.");
    }
    if (!decisions.isHeld()) {
      throw new HoldfastException(
          "The log of decisions is not held by this process any more, and another one may recover what would begin here. Nothing was done. Start this process again.");
    }
    try {
      if (!coordinator.isIdle()) {
        throw new HoldfastException(
            "This thread already is in a transaction. Nothing was done. Use join(participant) to take part in it.");
      }
      coordinator.manager().begin();
    } catch (NotSupportedException | SystemException e) {
      throw new HoldfastException("No transaction could begin. Nothing was done.", e);
    }
  }

  private Unit unit() {
    try {
      Transaction transaction = coordinator.manager().getTransaction();
      if (transaction == null) {
        throw new HoldfastException(
            "This thread is in no transaction. Nothing was done. Begin one, or use atomically.");
      }
      Unit known = units.get(transaction);
      if (known != null) {
        return known;
      }
      Unit unit = new Unit(links, transaction, () -> units.remove(transaction));
      transaction.registerSynchronization(unit);
      units.put(transaction, unit);
      return unit;
    } catch (RollbackException | SystemException e) {
      throw new HoldfastException(
          "The transaction cannot go on. Nothing was done. It is to be rolled back.", e);
    }
  }

  private void rollBack(Throwable why) {
    try {
      if (coordinator.manager().getStatus() != Status.STATUS_NO_TRANSACTION) {
        coordinator.manager().rollback();
      }
    } catch (SystemException | RuntimeException e) {
      // Undecided is rolled back: what could not be told is found by recovery, or by the database.
      why.addSuppressed(e);
    }
  }

  private void commit(Unit unit) {
    @Nullable Exception failure = null;
    try {
      coordinator.manager().commit();
    } catch (RollbackException
        | HeuristicMixedException
        | HeuristicRollbackException
        | SystemException
        | RuntimeException e) {
      failure = e;
    }
    Map<String, BranchOutcome> outcomes = unit.outcomes();
    if (failure == null) {
      if (outcomes.containsValue(BranchOutcome.IN_DOUBT)) {
        log.warn(
            "A transaction is committed, and a participant did not answer to that: {}. Recovery commits there what is in doubt; until then it is not visible and keeps its locks.",
            outcomes);
      }
      return;
    }
    boolean rolledBack =
        failure instanceof RollbackException
            ? outcomes.values().stream()
                .allMatch(o -> o == BranchOutcome.ROLLED_BACK || o == BranchOutcome.IN_DOUBT)
            : outcomes.values().stream().allMatch(o -> o == BranchOutcome.ROLLED_BACK);
    throw rolledBack
        ? new XaRolledBack(outcomes, failure)
        : new XaOutcomeUnknown(outcomes, failure);
  }

  /**
   * Ends recovery and closes the connections. Transactions under way are not waited for: end them
   * before. What is in doubt waits for the next start.
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      coordinator.close();
    } finally {
      links.values().forEach(Link::close);
      decisions.close();
    }
  }
}
