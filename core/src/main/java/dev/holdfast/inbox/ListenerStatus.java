package dev.holdfast.inbox;

/**
 * What a listener has done since it was started, and whether it is connected.
 *
 * @param connected how many of its connections to the broker are up
 * @param handled messages that were handled and acknowledged
 * @param repeated messages that were acknowledged since they had been handled before
 * @param failed attempts that failed, of whatever message
 * @param givenUp messages that were moved to a dead-letter destination, or rejected
 */
public record ListenerStatus(
    int connected, long handled, long repeated, long failed, long givenUp) {}
