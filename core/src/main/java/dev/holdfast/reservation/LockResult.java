package dev.holdfast.reservation;

import java.time.Instant;

/** What came of asking for a semantic lock. */
public sealed interface LockResult {

  /** It is the caller's if the transaction commits. */
  record Acquired(SemanticLock lock) implements LockResult {}

  /**
   * Somebody else has it.
   *
   * @param expiresAt until when at least, unless it is released, by the database's clock
   */
  record HeldByOther(String owner, Instant expiresAt) implements LockResult {}

  /**
   * For whoever has nothing else to do without the lock.
   *
   * @throws LockNotHeld when somebody else has it
   */
  default SemanticLock orThrow() {
    if (this instanceof Acquired acquired) {
      return acquired.lock();
    }
    throw new LockNotHeld("The lock was not acquired: " + this + ". Try again later.");
  }
}
