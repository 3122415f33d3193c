/**
 * An append-only log of events in the application's own database, in streams: for state that
 * <em>is</em> the events that led to it, and for whoever follows them.
 *
 * <p><b>Appending</b> is one statement in the caller's transaction, or one that is its own. The
 * events are there exactly when that transaction is. A stream's versions are 1, 2, 3 without a gap,
 * and its unique index is the compare-and-set: of those who append behind the same version one
 * commits. There is no row for a stream, which would be updated at each append.
 *
 * <p><b>Reading everything</b> follows one total order, that of positions, of which a {@linkplain
 * dev.holdfast.eventlog.EventReader reader} sees the settled prefix: the part in which nothing can
 * appear any more. Positions are not without gaps, and not the order of commits.
 *
 * <p>States of a position: <em>not drawn</em>, <em>drawn</em> (by a transaction that holds the
 * table's lock), and then <em>visible</em> or <em>burnt</em> (its transaction, or the savepoint in
 * it, rolled back). It is <em>settled</em> when every transaction is gone that held the lock when
 * the sequence had come that far: from then on it stays what it is. <em>Believed</em> it is when
 * that is flushed, too.
 *
 * <p>States of a reader: <em>even</em> (all that is settled is read), <em>behind</em> (settled
 * events are left to read), <em>pending</em> (a mark is taken, and somebody who was there before it
 * is there still). Only a restart brings it back to its checkpoint.
 *
 * <table>
 * <caption>What a crash leaves behind</caption>
 * <tr><th>of</th><th>at</th><th>left behind</th><th>next</th></tr>
 * <tr><td>who appends</td><td>before the commit</td><td>burnt positions</td><td>appends again</td></tr>
 * <tr><td></td><td>after it, before the answer</td><td>the events</td>
 *     <td>appends the same ids again, and is told that they are there</td></tr>
 * <tr><td></td><td>prepared, as a branch</td><td>a lock that holds the mark, with its name</td>
 *     <td>whoever ends the branch</td></tr>
 * <tr><td>who reads</td><td>anywhere</td><td>its checkpoint</td>
 *     <td>reads on behind it: what was read and not in the checkpoint is read again</td></tr>
 * <tr><td>the database</td><td>before the flush of a commit</td>
 *     <td>nothing of it; its positions are handed out again</td>
 *     <td>no reader has believed them, see below</td></tr>
 * <tr><td></td><td>between a mark and the reading</td><td>a broken connection</td>
 *     <td>the reader takes a new mark</td></tr>
 * </table>
 *
 * <p>So what a reader gives is flushed before it is given, and a mark is flushed before it is kept
 * for the next look. A checkpoint is the position of an event that was read, never that of a mark.
 *
 * <p>Why this order, and what was examined: {@code docs/decisions/0013-event-log.md}. Knows the
 * transaction, and no other resolution.
 */
@NullMarked
package dev.holdfast.eventlog;

import org.jspecify.annotations.NullMarked;
