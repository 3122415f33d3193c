/**
 * The idempotent receiver: a message that comes again, since somebody did not hear that it was
 * handled, is not handled again, and is answered as the first time.
 *
 * <p>Its id, the effects of its handler, the messages that the handler publishes and the reply are
 * one commit. A crash before that commit leaves nothing, and the redelivery is handled; a crash
 * after it leaves everything, and the redelivery gets the reply. What this needs of the sender is
 * that it repeats until it is answered, under the same id, and for no longer than the id is
 * remembered.
 *
 * <p>How ids are stored and forgotten: {@code docs/decisions/0007-inbox-segments.md}.
 */
@NullMarked
package dev.holdfast.inbox;

import org.jspecify.annotations.NullMarked;
