package dev.holdfast.inbox;

/**
 * What came of a message.
 *
 * @param repeated whether it was handled before, and its handler was not called now
 * @param reply what the handler answered, now or then; {@link Reply#NONE} when it had nothing to
 *     say
 * @param operationId the operation that handled it
 */
public record Receipt(boolean repeated, Reply reply, String operationId) {}
