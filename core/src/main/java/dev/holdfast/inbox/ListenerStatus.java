package dev.holdfast.inbox;

/**
 * What a listener has done since it was started, and whether it is connected.
 *
 * @param connected how many of its connections to the broker are up
 * @param handled messages that were handled and acknowledged
 * @param repeated messages that were acknowledged since they had been handled before
 * @param failed attempts that failed, of whatever message
 * @param givenUp messages that were moved to a dead-letter destination, or rejected
 * @param parked messages that were parked, those that wait behind another one of their key among
 *     them
 * @param replayed messages that had been parked, and were handled by this listener
 * @param full whether a message waits in hand, and what follows it on its thread, since no more may
 *     be parked
 */
public record ListenerStatus(
    int connected,
    long handled,
    long repeated,
    long failed,
    long givenUp,
    long parked,
    long replayed,
    boolean full) {}
