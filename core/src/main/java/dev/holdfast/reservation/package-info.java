/**
 * Holds units of something until an operation knows whether it goes through: reserve, then confirm
 * (in part, perhaps) or cancel; time gives back what nobody resolves. And what else keeps sagas
 * apart, whose steps commit one by one: {@linkplain dev.holdfast.reservation.SemanticLocks semantic
 * locks} and {@linkplain dev.holdfast.reservation.Reread reading again} before writing.
 *
 * <p>All of it happens on the caller's transaction, in one statement each, and is there exactly
 * when that transaction is. A reservation is one row under an id of the caller's, which lets one
 * transaction in at a time: it is resolved once, whoever comes first, and the row that says how is
 * kept for a stated time and refuses whoever comes late, a reserve behind its own cancel included.
 *
 * <p>How units are counted without everybody waiting for one row: {@code
 * docs/decisions/0012-reservations.md}.
 */
@NullMarked
package dev.holdfast.reservation;

import org.jspecify.annotations.NullMarked;
