/**
 * Finds where a derived store has drifted from its source, and puts it right: the resolution for
 * pairs that record nothing together, and the check behind those that do. {@link
 * dev.holdfast.reconcile.Reconciliation} compares two {@linkplain dev.holdfast.reconcile.Side
 * sides} in half-open ranges of hashed keys, by count and sum of the rows' fingerprints, which each
 * side computes where the rows are; it divides what differs, and reads only what is left. What
 * differs once may be on its way, so it counts only when it still does after the settle window.
 * Repairs are few at a time, and change nothing but what was seen.
 *
 * <p>No commit of its own: a crash at any moment leaves the derived store as the repairs so far
 * have made it, and the next run begins from nothing. Several at once do no harm but the load.
 *
 * <p>Knows no database and no broker: the modules of the boundaries bring the sides. May not know
 * any other resolution.
 */
@NullMarked
package dev.holdfast.reconcile;

import org.jspecify.annotations.NullMarked;
