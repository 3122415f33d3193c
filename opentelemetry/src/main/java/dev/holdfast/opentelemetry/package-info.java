/**
 * OpenTelemetry spans of the outbox, after the semantic conventions for messaging: a span of who
 * publishes, whose context travels with the message as {@code traceparent}; one of the relay; and
 * whatever the consumer makes of the context that it finds in the message. Knows the listener of
 * the outbox and the API of OpenTelemetry, and no SDK.
 */
@NullMarked
package dev.holdfast.opentelemetry;

import org.jspecify.annotations.NullMarked;
