package dev.holdfast.internal.workflow;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;

/**
 * The time in which this process is an executor under one number. It ends by this process's own
 * measure before it can end by the database's. Thread-safe.
 */
final class Tenure {
  private final long executor;
  private volatile long renewedAt;
  private final Duration lease;
  private volatile boolean ended;
  private volatile boolean closing;

  /**
   * @param asked a reading of the monotonic clock from before the lease was asked for
   */
  Tenure(long executor, long asked, Duration lease) {
    this.executor = executor;
    this.renewedAt = asked;
    this.lease = lease;
  }

  long executor() {
    return executor;
  }

  /**
   * @return false when it had ended by this process's measure: it is not revived, since what was
   *     begun under it may have been given up
   */
  boolean renewed(long asked) {
    if (!isValid()) {
      return false;
    }
    renewedAt = asked;
    return true;
  }

  /** The runs of this number are lost, or given up. */
  void end() {
    ended = true;
  }

  /** This process ends: nothing new is begun under this number, and its runs are given back. */
  void close() {
    closing = true;
  }

  boolean isClosing() {
    return closing && !ended && !Doorbell.hasPassed(lease, renewedAt);
  }

  /** Whether nobody can have taken its runs over, which is so at most until it is used. */
  boolean isValid() {
    return !ended && !closing && !Doorbell.hasPassed(lease, renewedAt);
  }

  /**
   * @throws Stop when it is not valid
   */
  void require() {
    if (!isValid()) {
      throw Stop.lost("executor " + executor + " has lost its lease or is closed");
    }
  }

  boolean isEnded() {
    return ended;
  }
}
