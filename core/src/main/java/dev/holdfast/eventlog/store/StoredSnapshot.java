package dev.holdfast.eventlog.store;

import java.util.UUID;

/**
 * A state that somebody has folded, and from which others go on.
 *
 * @param decider whose it is
 * @param stateVersion of the state's form and of the functions that have led to it
 * @param version of the last event that is in it
 * @param eventId of that event, by which it is told whether the stream is still the same
 * @param state as JSON
 */
public record StoredSnapshot(
    String decider, String stream, int stateVersion, long version, UUID eventId, String state) {}
