/**
 * JMS as a boundary, for any provider of Jakarta Messaging: a channel's target, and a listener that
 * acknowledges a message when its effects are committed.
 *
 * <h2>Delivering</h2>
 *
 * A batch is one transaction of a JMS session: one forced write at the broker for all of it, and an
 * answer that says for all of it that it is there. Commit point: {@code Session.commit}. A crash
 * before it: the broker has none of the batch. After it, or when its reply is lost: the batch comes
 * again, under the same ids. When a batch fails, its messages are sent one by one, each in a
 * transaction of its own, to find out which of them is refused for what it is.
 *
 * <h2>Receiving</h2>
 *
 * Receive in a transacted session, commit in the database (the message's id, its effects, the
 * messages that its handler publishes), commit the session. A crash between the two commits brings
 * the message again, and the inbox knows it.
 *
 * <p>A message that cannot be handled is moved to a dead-letter destination in the session's
 * transaction, left to the broker, or parked in the database before the session is committed.
 *
 * <p>May know the core's target interfaces and inbox, and the JMS API, nothing else; no provider's
 * classes.
 */
@NullMarked
package dev.holdfast.jms;

import org.jspecify.annotations.NullMarked;
