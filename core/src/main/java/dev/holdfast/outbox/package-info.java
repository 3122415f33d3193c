/**
 * The outbox: a message is recorded in the commit of the change it speaks of, a relay discharges
 * it, and the target absorbs repeats.
 *
 * <h2>Who does what</h2>
 *
 * A <em>channel</em> is a named cursor over the outbox with one target. In every process that
 * configures the channel a relay runs as leader or standby, by a lease row with an epoch on the
 * database's clock. The leader works in <em>terms</em>: take the lease (the epoch rises), look at
 * the target's progress record without disturbing anyone, take the target over (which fences the
 * predecessor), check the epoch again, finish replays that the predecessor left, and then read a
 * page, send it together with the new progress, and so on. Any surprise ends the term; the next one
 * starts from durable progress.
 *
 * <p>All of it is done in steps, by the threads of {@link dev.holdfast.outbox.Relay}, or one at a
 * time by whoever steps it ({@link dev.holdfast.Stepper}, which says what lies between two steps).
 *
 * <h2>Commit points, and what a crash at each leaves behind</h2>
 *
 * <ul>
 *   <li><b>The caller's commit.</b> Before: nothing. After: the rows, in every later window.
 *   <li><b>The flush fence.</b> Before: nothing was sent. After: what was read cannot be taken back
 *       by a crash of the database, so sending it cannot invent a message.
 *   <li><b>The parking commit</b>, in the database, before progress moves past the message. A crash
 *       in between parks the same messages again, which changes nothing.
 *   <li><b>The target's commit of batch and progress.</b> Before: the target shows none of the
 *       batch. After: the next term starts behind it. Where the target keeps no progress, the batch
 *       is repeated from the database's copy.
 *   <li><b>The database's copy of the progress</b>, about once a second. Only ever behind.
 *   <li><b>The deletion of what a replay sent.</b> Before: the next term sees that progress has
 *       passed the control row, and deletes first.
 * </ul>
 *
 * <h2>Why nothing is read too early</h2>
 *
 * The snapshot of a window and its flush fence run in one transaction on one connection, so no
 * crash of the database lies between them. An empty window moves the cursor only if everything its
 * snapshot saw is known to be flushed. Thus no cursor held in memory or at the target ever rests on
 * something that a crash can take back, and no detection of crashes is needed.
 *
 * <p>This package may know {@code boundary} and its own store interfaces; it knows no database and
 * no broker.
 */
@NullMarked
package dev.holdfast.outbox;

import org.jspecify.annotations.NullMarked;
