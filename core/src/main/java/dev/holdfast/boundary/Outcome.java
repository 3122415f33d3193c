package dev.holdfast.boundary;

/**
 * What became of an attempt. {@link Unknown} is its own answer: it is resolved by lookup, keyed
 * retry, compensation, or by a person, and never handled as failure.
 */
public sealed interface Outcome {

  /** The effect is there, durably. */
  record Committed() implements Outcome {}

  /**
   * No attempt, earlier ones included, had an effect or will have one.
   *
   * @param reason for people
   */
  record Rejected(String reason) implements Outcome {}

  /**
   * It may have happened, may be happening still, or may not.
   *
   * @param reason why it is not known, and what would tell
   */
  record Unknown(String reason) implements Outcome {}
}
