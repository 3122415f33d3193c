package dev.holdfast.benchmarks;

/** A way to commit in two databases, or a floor: the same without being atomic. */
interface TwoPhaseContender extends CountedContender<TwoPhaseScenario> {
  /**
   * Opens its connections to both databases, which hold the {@link EntryTable}, and what else it
   * needs.
   */
  TwoPhaseEntry enter(TwoPhaseServers servers, TwoPhaseScenario scenario) throws Exception;
}
