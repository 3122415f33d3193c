/**
 * Two-phase commit: effects in two databases or more, of which either all happen or none.
 *
 * <p><b>States of an operation</b>, as {@code dev.holdfast.internal.twophase.OwnerProtocol} has
 * them: its work runs; the decision is written into the deciding transaction; branches are
 * prepared, one after the other; the deciding transaction commits, which decides; the branches
 * commit. Anything that fails before the decision undoes all.
 *
 * <p><b>Commit points</b>, and what a crash leaves behind each: a prepared branch (waits for the
 * decision, whatever becomes of its owner and its server); the deciding commit (the branches are
 * owed, and any process with the participants pays); a branch's commit, with its witness (nothing
 * is owed there); the deletion of decisions, after both were compared; the deletion of witnesses.
 *
 * <p>The whole of it, and why: {@code docs/decisions/0010-decision-rows.md}. This package is what
 * users see; it knows no product. What databases have to offer is in {@code store}.
 */
@NullMarked
package dev.holdfast.twophase;

import org.jspecify.annotations.NullMarked;
