package dev.holdfast.benchmarks;

import java.util.Map;

/** Who takes part where the servers count along. */
interface CountedContender<S> {
  String name();

  /** What its figure is worth, and what is not counted in it. */
  String guarantee(S scenario);

  /** What it is run with, where that is not the default. */
  Map<String, String> settings();
}
