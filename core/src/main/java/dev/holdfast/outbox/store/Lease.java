package dev.holdfast.outbox.store;

/**
 * Ownership of a piece of background work.
 *
 * @param name what is owned
 * @param owner who owns it
 * @param epoch raised by every takeover; a writer of an earlier epoch is refused
 */
public record Lease(String name, String owner, long epoch) {}
