package dev.holdfast.outbox.store;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A message that is held back.
 *
 * @param lane see {@link OutboxRecord#lane()}
 * @param reason why its lane is parked
 * @param skipped whether an operator decided that it is not to be sent
 * @param releasing whether a replay has been ordered and not yet been carried out
 */
public record ParkedMessage(
    String channel,
    String lane,
    OutboxRecord message,
    @Nullable String reason,
    Instant parkedAt,
    boolean skipped,
    boolean releasing) {}
