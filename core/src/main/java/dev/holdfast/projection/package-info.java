/**
 * Views, reactions and whatever else follows from the event log, each event once: a {@link
 * dev.holdfast.projection.Projection} says what an event leads to, and {@link
 * dev.holdfast.projection.Projections} carries that out, in this process or in another.
 *
 * <p>A projection has slots; an event belongs to the slot of its key, which is its stream unless
 * said otherwise. Each slot has a checkpoint, which is moved by compare-and-set in the transaction
 * of what the events lead to. That is the commit point, and the fence: of two processes that are at
 * one slot, one moves the checkpoint, and the other's work is rolled back. A lease for each slot
 * keeps them from doing so for long.
 *
 * <p>States of a slot: <em>free</em>, <em>leased</em>. Of a key in it: <em>followed</em>, or
 * <em>parked</em> since an event that could not be applied: later events of the key wait, others go
 * on. What waits stays in the log, and is applied in order by a replay.
 *
 * <table>
 * <caption>What a crash leaves behind</caption>
 * <tr><th>at</th><th>left behind</th><th>next</th></tr>
 * <tr><td>before a commit</td><td>the view and the checkpoint as they were</td>
 *     <td>whoever has the slot next applies the same events</td></tr>
 * <tr><td>after it, before the answer</td><td>both moved</td>
 *     <td>the slot is read anew, and goes on behind it</td></tr>
 * <tr><td>in a replay</td><td>the key parked, with what was replayed in earlier
 *     transactions applied</td><td>the replay again</td></tr>
 * <tr><td>in a switch</td><td>the former version live</td><td>the switch again</td></tr>
 * </table>
 *
 * <p>A replay raises the slot's generation, which is part of the compare-and-set: a batch that was
 * put together while the key was parked, and leaves its events out, is put together anew.
 */
@NullMarked
package dev.holdfast.projection;

import org.jspecify.annotations.NullMarked;
