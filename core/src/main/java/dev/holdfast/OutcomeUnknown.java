package dev.holdfast;

import dev.holdfast.boundary.Outcome;
import java.util.function.Supplier;

/**
 * The reply to a commit was lost: the transaction is either committed as a whole or not at all, and
 * the caller was not told which. Do not repeat the work before asking {@link #resolve()}.
 */
public final class OutcomeUnknown extends HoldfastException {
  private static final long serialVersionUID = 1L;

  private final transient Supplier<Outcome> resolver;
  private final String operationId;

  public OutcomeUnknown(
      String message, String operationId, Throwable cause, Supplier<Outcome> resolver) {
    super(message, cause);
    this.operationId = operationId;
    this.resolver = resolver;
  }

  /** The operation whose commit is in doubt. */
  public String operationId() {
    return operationId;
  }

  /**
   * Asks the database what became of the commit, by trying to write the row that only this commit
   * could have written. May be called again, from any thread; not inside a transaction of its own.
   *
   * @return {@code Committed} when the row is there, and flushed; {@code Rejected} when it was not,
   *     in which case it can never appear any more, since this call took its place; {@code Unknown}
   *     while the transaction is still running there, or when the record of it is past its
   *     retention
   * @throws StoreUnavailable when the database cannot be reached; the outcome is as unknown as
   *     before
   */
  public Outcome resolve() {
    return resolver.get();
  }
}
