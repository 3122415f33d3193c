package dev.holdfast.outbox;

import org.jspecify.annotations.Nullable;

/**
 * What a channel's relay in this process is doing and has done.
 *
 * @param delivered messages acknowledged by the target since this process started
 * @param parked messages held back by this process since it started
 * @param problem what keeps it from working, for people; {@code null} when nothing does
 */
public record RelayStatus(
    String channel, RelayPhase phase, long delivered, long parked, @Nullable String problem) {}
