package dev.holdfast.cli.demo;

import java.util.concurrent.ThreadLocalRandom;

/** What becomes of a request that is none of its sender's doing. */
enum Misfortune {
  NONE,
  /** It is done, and the connection breaks in place of an answer. */
  REPLY_LOST,
  /** It is done, and the answer comes when nobody waits for it any more. */
  REPLY_LATE,
  /** It is done when nobody waits for an answer any more. */
  EFFECT_LATE;

  /**
   * Of five requests in sixteen, and mostly that it comes too late: where many changes travel in
   * one request there are few of them.
   */
  static Misfortune often() {
    return switch (ThreadLocalRandom.current().nextInt(16)) {
      case 0 -> REPLY_LOST;
      case 1 -> REPLY_LATE;
      case 2, 3, 4 -> EFFECT_LATE;
      default -> NONE;
    };
  }

  /** Of one request in eight. */
  static Misfortune any() {
    return switch (ThreadLocalRandom.current().nextInt(32)) {
      case 0, 1 -> REPLY_LOST;
      case 2 -> REPLY_LATE;
      case 3 -> EFFECT_LATE;
      default -> NONE;
    };
  }
}
