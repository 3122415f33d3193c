/**
 * What the listeners of all brokers do alike when they bring a message to an inbox. Knows the
 * inbox, and no broker. Not API; may change at any time.
 */
@NullMarked
package dev.holdfast.internal.inbox;

import org.jspecify.annotations.NullMarked;
