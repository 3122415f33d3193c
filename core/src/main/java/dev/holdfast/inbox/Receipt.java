package dev.holdfast.inbox;

/**
 * What came of a message.
 *
 * @param repeated whether it was found handled: before, or by this very call, when the reply to its
 *     commit was lost
 * @param reply what the handler answered, now or then; {@link Reply#NONE} when it had nothing to
 *     say
 * @param operationId the operation that handled it
 */
public record Receipt(boolean repeated, Reply reply, String operationId) {}
