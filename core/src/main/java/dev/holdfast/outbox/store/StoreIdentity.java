package dev.holdfast.outbox.store;

import java.util.UUID;

/**
 * Which database this is, as far as it can know: progress kept elsewhere is believed only when it
 * speaks of the same one.
 *
 * @param storeId made when the tables were created; a clone or a restored dump has the same
 * @param system the cluster's system identifier; a restored dump has another
 * @param timeline changes when a standby is promoted or a backup restored
 * @param era the channel's, raised by an operator's {@code reanchor}
 */
public record StoreIdentity(UUID storeId, String system, long timeline, int era) {}
