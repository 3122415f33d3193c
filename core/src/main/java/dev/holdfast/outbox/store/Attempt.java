package dev.holdfast.outbox.store;

import java.time.Instant;
import java.util.UUID;

/**
 * One attempt to commit: the row it writes in its own commit is what a lost reply is asked about.
 *
 * @param id unique to the attempt
 * @param begunAt by this process's clock; says where the row is kept, and for how long
 */
public record Attempt(UUID id, Instant begunAt) {}
