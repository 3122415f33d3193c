package dev.holdfast.crashtest.model;

import java.util.Locale;
import java.util.Optional;

/**
 * What a model checker has seen.
 *
 * @param states different states visited; all there are, unless there is a counterexample
 * @param steps steps between them
 * @param depth the length of the longest of the shortest ways to a state
 * @param counterexample the shortest way to what must not be, if there is one
 * @param <S> the model's states
 */
public record Exploration<S>(
    int states, long steps, int depth, Optional<Counterexample<S>> counterexample) {

  /** In one line, and the counterexample below it. */
  public String report() {
    String line =
        String.format(Locale.ROOT, "%,d states, %,d steps, depth %d: ", states, steps, depth);
    return line + counterexample.map(found -> "violated\n" + found.report()).orElse("holds");
  }
}
