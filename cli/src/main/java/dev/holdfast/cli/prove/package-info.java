/**
 * The proof: the crash lab explores an order service with a dual write and the same one with the
 * outbox, on real servers. Shows the lab's own report, and decides one thing itself: whether each
 * shows what it has to show, the one its losses and the other none.
 */
@NullMarked
package dev.holdfast.cli.prove;

import org.jspecify.annotations.NullMarked;
