package dev.holdfast.doctor;

/** How bad a finding is. */
public enum Severity {
  /** As it should be. */
  OK,
  /** Nobody said where to ask. */
  NOT_ASKED,
  /** Works, and something is given up or will go wrong later. */
  WARN,
  /** Something that is promised does not hold, or does not go on. */
  FAIL,
  /** It was asked and there was no answer: it may be as bad as a failure. */
  UNKNOWN
}
