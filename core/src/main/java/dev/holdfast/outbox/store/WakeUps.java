package dev.holdfast.outbox.store;

/** Tells relays in other processes that there may be something to read. Hints only. */
public interface WakeUps {

  /** Sends a hint, on a connection and a transaction of its own. Errors are ignored. */
  void send();

  /**
   * Calls the listener on every hint, on a thread of its own that ends when the result is closed.
   * Where hints cannot be had, it is never called.
   */
  AutoCloseable listen(Runnable listener);
}
