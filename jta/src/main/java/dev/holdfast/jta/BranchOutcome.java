package dev.holdfast.jta;

/** What is known of one participant's part of a transaction. */
public enum BranchOutcome {
  /** Its effects are there, or there were none. */
  COMMITTED,

  /** It has no effects and will have none. */
  ROLLED_BACK,

  /** It is prepared, or may be, and recovery will end it when the participant answers again. */
  IN_DOUBT,

  /**
   * Nobody knows: it was told to commit and the answer was lost, or it was ended by somebody else.
   * Recovery does not come back to it; look at the participant's own data.
   */
  UNKNOWN
}
