package dev.holdfast.guarantee;

/** What an operation asks of its resolution beyond that no effect is lost. */
public enum Need {
  /** Effects of one key are applied in the order in which they were committed. */
  ORDER,
  /** Every effect is committed when the caller is answered. */
  NOW,
  /** No effect happens twice, unless one of the two is undone again. */
  NO_DUPLICATE,
  /** The answer of a later boundary decides whether the operation goes on. */
  REPLY,
  /** The caller is answered although a boundary other than that of the record is away. */
  AVAILABLE
}
