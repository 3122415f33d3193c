package dev.holdfast.boundary;

/**
 * What a boundary's acknowledgment means, weakest first. A rung includes those below it.
 *
 * <p>Kafka's {@code acks=all} is {@link #REPLICATED}, not fsynced; an HTTP 202 is {@link
 * #ACCEPTED}; a PostgreSQL commit is {@link #COMMITTED}, but only {@link #ACCEPTED} with {@code
 * synchronous_commit=off}.
 */
public enum Acknowledgment {
  /** Received; a crash of the receiver may take it back. */
  ACCEPTED,
  /** Survives a crash of the receiving process or machine. */
  PERSISTED,
  /** Held by several machines, in memory at least. */
  REPLICATED,
  /** The receiver has acted on it. */
  PROCESSED,
  /** The receiver's action is durably committed. */
  COMMITTED,
  /** The receiver has durably taken over seeing it through; the sender may forget. */
  RESPONSIBILITY_TRANSFERRED;

  /** Whether this acknowledgment promises at least what {@code other} does. */
  public boolean isAtLeast(Acknowledgment other) {
    return compareTo(other) >= 0;
  }
}
