package dev.holdfast.guarantee;

import java.util.List;
import java.util.Optional;

/**
 * One resolution that meets an operation's needs.
 *
 * @param resolution what to do
 * @param behindInbox whether the message with which the operation begins has to go through an inbox
 *     first, at the boundary of the record
 * @param recordedAt the {@linkplain dev.holdfast.boundary.Boundary#description() description} of
 *     the boundary whose commit holds the record; empty when none does: the sender's retry, a
 *     comparison, or a journal in a database of its own
 * @param cost for one operation
 * @param absorbs what makes a repeat harmless, at each boundary at which one can come
 * @param givenUp what one local transaction would have given and this does not
 */
public record Advice(
    Resolution resolution,
    boolean behindInbox,
    Optional<String> recordedAt,
    Cost cost,
    List<Absorption> absorbs,
    List<String> givenUp) {
  public Advice {
    absorbs = List.copyOf(absorbs);
    givenUp = List.copyOf(givenUp);
  }

  /**
   * Whether this version of Holdfast carries all of it out; see {@link Resolution#carriedOut()}.
   */
  public boolean carriedOut() {
    return resolution.carriedOut() && (!behindInbox || Resolution.INBOX.carriedOut());
  }
}
