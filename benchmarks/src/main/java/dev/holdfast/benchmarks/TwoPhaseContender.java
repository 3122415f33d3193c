package dev.holdfast.benchmarks;

import java.util.Map;

/** A way to commit in two databases, or a floor: the same without being atomic. */
interface TwoPhaseContender {
  String name();

  /** What its figure is worth, and what is not counted in it. */
  String guarantee(TwoPhaseScenario scenario);

  /** What it is run with, where that is not the default. */
  Map<String, String> settings();

  /**
   * Opens its connections to both databases, which hold {@link TwoPhaseEntry#INSERT}'s table, and
   * what else it needs.
   */
  TwoPhaseEntry enter(TwoPhaseServers servers, TwoPhaseScenario scenario) throws Exception;
}
