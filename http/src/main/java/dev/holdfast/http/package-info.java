/**
 * HTTP as a boundary, from its three sides.
 *
 * <p><b>Received:</b> {@link dev.holdfast.http.IdempotencyKeyFilter} and {@link
 * dev.holdfast.http.IdempotentHandler} take requests with an {@code Idempotency-Key} (<a
 * href="https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/">draft</a>):
 * the application's database work, what it publishes and the response are one commit, and a
 * repeated request gets that response. <b>Delivered:</b> {@link dev.holdfast.http.Webhook} is the
 * target of an outbox channel; {@link dev.holdfast.http.WebhookVerifier} is its counterpart.
 * <b>Called:</b> {@link dev.holdfast.http.IdempotentClient} repeats a request under its key and
 * says what became of it.
 *
 * <p>Knows the core and the JDK; the servlet API for the filter alone.
 */
@NullMarked
package dev.holdfast.http;

import org.jspecify.annotations.NullMarked;
