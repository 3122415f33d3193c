/**
 * State that is the events that led to it: a {@link dev.holdfast.eventlog.decider.Decider} decides
 * what a command leads to and says what an event changes, both as pure functions, and {@link
 * dev.holdfast.eventlog.decider.Decisions} carries them out on the event log.
 *
 * <p>A command is read, decided and appended in one transaction. The commit point is that
 * transaction's; a crash before it leaves nothing, one behind it all of its events. Of two commands
 * that have read the same version one commits; the other is decided again on what is there then.
 * {@link dev.holdfast.eventlog.EventTypes} keeps the names of events apart from those of Java
 * classes, and brings what was recorded in an earlier form into today's.
 */
@NullMarked
package dev.holdfast.eventlog.decider;

import org.jspecify.annotations.NullMarked;
