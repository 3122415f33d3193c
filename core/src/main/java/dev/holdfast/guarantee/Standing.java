package dev.holdfast.guarantee;

/** How a clause stands at the servers that were asked, best first. */
public enum Standing {
  /** What it rests on was asked for, as far as it can be, and is so. */
  HOLDS,
  /** What it rests on is taken to be so; nobody was asked. */
  ASSUMED,
  /** Something that it rests on was asked for, and there was no answer. */
  NOT_KNOWN,
  /** It holds in fewer circumstances than it says. */
  WEAKENED,
  /** It must not be relied upon. */
  DOES_NOT_HOLD
}
