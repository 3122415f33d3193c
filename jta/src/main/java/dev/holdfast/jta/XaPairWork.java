package dev.holdfast.jta;

/**
 * What runs inside a transaction with two participants, once.
 *
 * @param <A> the first one's part
 * @param <B> the second one's part
 * @param <X> what it may fail with, which rolls the transaction back
 */
@FunctionalInterface
public interface XaPairWork<A, B, X extends Exception> {
  void run(A first, B second) throws X;
}
