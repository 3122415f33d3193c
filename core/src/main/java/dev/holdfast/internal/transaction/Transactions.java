package dev.holdfast.internal.transaction;

import dev.holdfast.TransactionOptions;
import dev.holdfast.TransactionWork;
import org.jspecify.annotations.Nullable;

/** Runs work in transactions of its own, as {@code Holdfast.transact} does. Thread-safe. */
public interface Transactions {

  /**
   * @throws dev.holdfast.OutcomeUnknown when the reply to the commit was lost
   */
  <T extends @Nullable Object> T run(
      TransactionOptions options, TransactionWork<T> work, Closing<T> closing);
}
