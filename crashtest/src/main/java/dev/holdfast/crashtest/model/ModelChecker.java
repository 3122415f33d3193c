package dev.holdfast.crashtest.model;

import dev.holdfast.InvalidConfiguration;

/**
 * Visits every state of a model, nearest first, so that a counterexample is a shortest one. It
 * stops at the first. Immutable and thread-safe.
 *
 * <p>Takes some 100 bytes of memory for each state besides the state itself, and 4 for each step.
 * Both numbers are bounded: past a bound the exploration fails rather than ending in silence.
 */
public final class ModelChecker {
  private final int states;
  private final int steps;

  private ModelChecker(int states, int steps) {
    this.states = states;
    this.steps = steps;
  }

  /**
   * @param states how many states a model may have, from 1; it may have 50 times as many steps
   * @throws InvalidConfiguration when that is less than 1 or more than 10 million
   */
  public static ModelChecker bounded(int states) {
    if (states < 1 || states > 10_000_000) {
      throw new InvalidConfiguration(
          "A model was to be bounded to %,d states, and a bound is 1 to 10,000,000. Nothing was explored."
              .formatted(states));
    }
    return new ModelChecker(states, states * 50);
  }

  /**
   * Explores the model.
   *
   * @throws ModelTooLarge when it has more states than allowed and no property was violated so far
   * @throws InvalidConfiguration when it has no initial state
   */
  public <S> Exploration<S> explore(Model<S> model) {
    return new Search<>(model, states, steps).run();
  }
}
