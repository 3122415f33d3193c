package dev.holdfast.reservation;

import dev.holdfast.Transaction;
import dev.holdfast.reservation.store.SemanticLockStore;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Locks that last longer than a transaction: they tell other sagas that what one is about to change
 * is not to be relied on yet. Thread-safe.
 *
 * <p>A lock is a row with an owner and an expiry, taken, renewed and given up in the caller's
 * transactions, in one round trip each. Nobody is kept from anything by it who does not ask for it,
 * or {@linkplain #require require} it. Nobody waits for a lock that somebody else has; two that
 * take the same free lock at once wait for each other's transaction.
 *
 * <p>It expires by the database's clock, so that what a dead saga had locked is free again. A saga
 * that is only slow wakes up with a lock that somebody else has by then. So each step that relies
 * on it requires it in its own transaction, which conflicts with a takeover; what is changed
 * outside of this database is given the lock's {@linkplain SemanticLock#token token}.
 *
 * <p>Whoever takes several locks in one transaction takes them by name, or meets others in a
 * deadlock, after which the transaction is run again.
 *
 * <p>The countermeasures against missing isolation between sagas, the semantic lock being one, are
 * those of L. Frank and T. Zahle, Semantic ACID properties in multidatabases, 1998.
 */
public final class SemanticLocks {
  private final SemanticLockStore store;

  /** On a store; usually {@link dev.holdfast.Holdfast#semanticLocks()} is shorter. */
  public SemanticLocks(SemanticLockStore store) {
    this.store = store;
  }

  /**
   * Takes a lock if nobody else has it. Its owner takes it again under the same token; it then
   * lasts for the longer of both times.
   *
   * @param name what is locked, 1 to 200 characters, as {@code order/17}
   * @param owner who takes it, 1 to 200 characters: the id of a saga, not of a process
   * @param forAtMost 1 ms to a year
   */
  public LockResult acquire(Transaction tx, String name, String owner, Duration forAtMost)
      throws SQLException {
    Reservation.requireName("The name of a lock", name);
    Reservation.requireName("The owner of a lock", owner);
    Reservation.requireTime("A lock", forAtMost);
    return store.acquire(tx.connection(), name, owner, forAtMost, tx.operationId());
  }

  /**
   * Goes on only if a lock is held still, and then nobody takes it over before the transaction is
   * over. Several transactions of its owner may require it at once.
   *
   * @throws LockNotHeld when it is not
   */
  public void require(Transaction tx, SemanticLock lock) throws SQLException {
    if (!store.require(tx.connection(), lock)) {
      throw lost(lock);
    }
  }

  /**
   * Has a lock last for so long from now on, if that is longer.
   *
   * @throws LockNotHeld when it is not held any more
   */
  public SemanticLock renew(Transaction tx, SemanticLock lock, Duration forAtMost)
      throws SQLException {
    Reservation.requireTime("A lock", forAtMost);
    Optional<Instant> until = store.renew(tx.connection(), lock, forAtMost);
    return new SemanticLock(
        lock.name(), lock.owner(), lock.token(), until.orElseThrow(() -> lost(lock)));
  }

  /**
   * Gives a lock up, so that it is free when the transaction commits.
   *
   * @return false when it was not held any more
   */
  public boolean release(Transaction tx, SemanticLock lock) throws SQLException {
    return store.release(tx.connection(), lock);
  }

  private static LockNotHeld lost(SemanticLock lock) {
    return new LockNotHeld(
        "%s does not hold the lock %s any more (token %d): it has expired, or was released. Let this exception leave the callback to roll back, and acquire it anew."
            .formatted(lock.owner(), lock.name(), lock.token()));
  }
}
