package dev.holdfast.outbox.store;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Something that an operation did at one boundary, or still owes there. It carries no payload.
 *
 * @param operationId the operation, as {@link dev.holdfast.Transaction#operationId()} names it
 * @param at when it happened, by the database's clock; {@code null} when that is not recorded, or
 *     it has not happened
 * @param boundary where: {@code database}, {@code channel NAME}, {@code operator} or {@code
 *     consumer NAME}
 * @param what what was, or is to be, done there, for people
 * @param owedBy who has to act; {@code null} when nothing is owed
 * @param detail more, for people
 * @param messageId the message, if it is about one
 * @param position the message's position in the outbox, if it has one yet
 * @param channel the channel, if it is about one
 */
public record OperationEvent(
    String operationId,
    @Nullable Instant at,
    String boundary,
    String what,
    State state,
    @Nullable String owedBy,
    @Nullable String detail,
    @Nullable UUID messageId,
    @Nullable Long position,
    @Nullable String channel) {

  /** How far it has come. */
  public enum State {
    /** Committed; of a consumer, what its handler did. */
    DONE,
    /** Recorded, and not to be delivered before its time. */
    DELAYED,
    /** Not delivered yet. */
    WAITING,
    /** Could not be delivered, or handled, or comes after such a message of its key. */
    PARKED,
    /** Parked, and ordered to be sent after all. */
    REPLAYING,
    /** The target has it. */
    DELIVERED,
    /** An operator decided not to send it. */
    SKIPPED,
    /**
     * The channel has passed it, and it was recorded before the channel took its topic: whether it
     * was delivered is not known.
     */
    PASSED
  }

  /** Whether somebody still has to act. */
  public boolean isOwed() {
    return switch (state) {
      case DELAYED, WAITING, PARKED, REPLAYING -> true;
      case DONE, DELIVERED, SKIPPED, PASSED -> false;
    };
  }
}
