package dev.holdfast.boundary;

/** What a boundary offers for absorbing repeats and resolving unknown outcomes. */
public enum Capability {
  /** Several effects commit as one. */
  LOCAL_TRANSACTION,
  /** A branch can be prepared and decided later. */
  PREPARE,
  /** The sender's progress can be committed together with the effects. */
  PROGRESS_MARK,
  /**
   * A repeat under the same key is answered, not executed, within a {@linkplain Boundary#window
   * window}.
   */
  IDEMPOTENCY_KEY,
  /** An effect can be conditioned on the version that it replaces. */
  EXPECTED_VERSION,
  /** Repeats with the same id are dropped, within a {@linkplain Boundary#window window}. */
  DEDUPLICATION,
  /** It can be asked whether an effect happened. */
  LOOKUP,
  /** An effect can be undone by another. */
  COMPENSATION,
  /**
   * An effect can be held, for a {@linkplain Boundary#window window}, then confirmed or cancelled.
   */
  RESERVATION,
  /** Effects of one key are applied in the order sent. */
  ORDER_PER_KEY
}
