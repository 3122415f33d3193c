package dev.holdfast.jta;

import javax.transaction.xa.XAResource;

/**
 * The connections to a participant.
 *
 * @param <T> what the work is given
 */
interface Link<T> {
  /** A part of one transaction. */
  interface Lease<T> {
    T handle();

    XAResource resource();

    /** The transaction has ended, or none began. What was handed out is of no use from now on. */
    void end(boolean reusable);
  }

  /**
   * @throws dev.holdfast.StoreUnavailable when there is none to be had in time
   */
  Lease<T> lease();

  /** A resource on a connection that recovery has to itself, opened anew when it broke. */
  XAResource recovery() throws Exception;

  /** Closes what is idle; leases in use are closed when they end. */
  void close();
}
