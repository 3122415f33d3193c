package dev.holdfast.twophase.store;

/** What a participant answered to the order to end a prepared branch. */
public enum Finish {
  /** It is done, durably. */
  DONE,
  /** No such branch is prepared: it was ended before, by one of us or by somebody else. */
  NOT_PREPARED,
  /** Another connection is still open that prepared it or is ending it; it can be tried again. */
  HELD
}
