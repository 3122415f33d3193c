package dev.holdfast.jta;

/**
 * A running transaction, which participants join as they are used. Valid on its thread, inside the
 * callback that received it.
 */
public interface XaTransaction {
  /**
   * The participant's part, the same whenever it is asked for. A participant that is not asked for
   * takes no part, and a transaction with one participant is one plain commit.
   *
   * @throws dev.holdfast.StoreUnavailable when the participant cannot be reached; let it leave the
   *     callback, so that everything is rolled back
   */
  <T> T in(XaParticipant<T> participant);
}
