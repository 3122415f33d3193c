/**
 * What the listeners of all brokers do alike when they bring a message to an inbox, and park what
 * cannot be handled. Knows the inbox, and no broker. Not API; may change at any time.
 *
 * <p>Commit points of parking: the message in the database, then its acknowledgment; a crash in
 * between brings it again, and it is found there. Of a replay: the message's effects, its id and
 * its removal in one; then, when nothing is left of its key, the end of the key's parking. A lock
 * on the key is shared by those who handle a message of it, and alone is whoever parks or replays
 * one.
 */
@NullMarked
package dev.holdfast.internal.inbox;

import org.jspecify.annotations.NullMarked;
