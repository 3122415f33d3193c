/**
 * What the outbox needs of a database: small interfaces, one per concern, which a store module
 * implements and the conformance suite in {@code crashtest} checks. For implementers, not for
 * applications. Every method says whose transaction it runs in; none may hold a connection after it
 * returns.
 */
@NullMarked
package dev.holdfast.outbox.store;

import org.jspecify.annotations.NullMarked;
