package dev.holdfast.outbox.store;

import java.time.Duration;
import java.util.Optional;

/**
 * Leases on the database's clock. A takeover updates the lease's row; everything written in the
 * name of a lease locks that row first, in the same transaction, so that a writer of an earlier
 * epoch either commits before the takeover or is refused.
 */
public interface LeaseStore {

  /** Takes the lease when it is free or expired, with a new epoch; empty while another holds it. */
  Optional<Lease> tryAcquire(String name, String owner, Duration duration);

  /**
   * Extends a lease.
   *
   * @return false when it has been taken over
   */
  boolean renew(Lease lease, Duration duration);

  /** Gives the lease up, so that another need not wait for its expiry. */
  void release(Lease lease);
}
