package dev.holdfast.reservation;

import java.time.Instant;

/**
 * A semantic lock as its holder has it: a value, which can be kept in the state of a saga.
 *
 * @param name what is locked
 * @param owner who has it
 * @param token the fencing token: greater than that of anybody who had this lock before. What it
 *     protects elsewhere keeps the greatest that it has seen, and refuses smaller ones
 * @param expiresAt until when it was held when it was taken or renewed, by the database's clock
 */
public record SemanticLock(String name, String owner, long token, Instant expiresAt) {}
