package dev.holdfast.outbox;

import java.util.Map;
import java.util.Set;

/** What became of a batch handed to a target. */
public sealed interface Delivery {

  /** All of it is acknowledged, with the progress. */
  record Done() implements Delivery {}

  /**
   * The target refused some messages for what they are; sent again they would be refused again.
   *
   * @param refused positions of messages and why, for people
   * @param delivered positions of messages that are acknowledged all the same; empty for a target
   *     that commits a batch as one
   */
  record Refused(Map<Long, String> refused, Set<Long> delivered) implements Delivery {}

  /**
   * The target could not be reached or did not answer: the batch may or may not be there. Nothing
   * is wrong with the messages.
   *
   * @param reason for people
   */
  record Unavailable(String reason) implements Delivery {}

  /** A later leader has taken over at the target. Nothing of the batch is there. */
  record Fenced() implements Delivery {}
}
