package dev.holdfast.jta;

/**
 * What runs inside a transaction with any number of participants, once.
 *
 * @param <X> what it may fail with, which rolls the transaction back
 */
@FunctionalInterface
public interface XaWork<X extends Exception> {
  void run(XaTransaction transaction) throws X;
}
