package dev.holdfast.crashtest.report;

/** What the process is doing when it commits something. */
public enum Phase {
  /** From the call of the operation until its effects are there. */
  OPERATION,
  /** After a crash: starting again, and whatever that brings about. */
  RECOVERY,
  /** The caller tries again with the same key. */
  RETRY
}
