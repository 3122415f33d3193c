package dev.holdfast.twophase;

import dev.holdfast.Transaction;

/**
 * An operation across databases: itself the transaction of the database that decides, where
 * messages are published, and of every other a {@link Branch}.
 *
 * <p>Valid only inside the callback that received it, on the thread that runs it.
 */
public interface AtomicTransaction extends Transaction {

  /**
   * The operation's branch in another database; the same one each time.
   *
   * @throws IllegalArgumentException when the operation was not given this participant
   */
  Branch on(Participant participant);
}
