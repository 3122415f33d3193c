package dev.holdfast.guarantee;

/** What a clause is about. */
public enum Aspect {
  /** Which effects commit together. */
  ATOMICITY,
  /** What the caller is told. */
  ANSWER,
  /** How often an effect happens. */
  DELIVERY,
  /** In which order effects happen. */
  ORDER,
  /** Who sees what, and when. */
  VISIBILITY,
  /** What a crash leaves. */
  DURABILITY,
  /** Who goes on after a crash, and when. */
  RECOVERY
}
