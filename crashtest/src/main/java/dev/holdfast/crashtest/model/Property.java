package dev.holdfast.crashtest.model;

import java.util.function.Predicate;

/**
 * Something that must hold, with a name for the report.
 *
 * @param <S> the model's states
 */
public sealed interface Property<S> {

  /** The name, such as {@code agreement}. */
  String name();

  /** Safety: holds in every state. */
  record Always<S>(String name, Predicate<S> holds) implements Property<S> {}

  /** Holds in every state that no step leads out of. */
  record AtRest<S>(String name, Predicate<S> holds) implements Property<S> {}

  /**
   * From every state a good one can be reached by {@linkplain Step.Kind#PROGRESS progress} alone:
   * whatever has gone wrong so far, nothing more has to happen than what happens anyway. It does
   * not say that those who may act ever do.
   */
  record StaysReachable<S>(String name, Predicate<S> isGood) implements Property<S> {}

  static <S> Property<S> always(String name, Predicate<S> holds) {
    return new Always<>(name, holds);
  }

  static <S> Property<S> atRest(String name, Predicate<S> holds) {
    return new AtRest<>(name, holds);
  }

  static <S> Property<S> staysReachable(String name, Predicate<S> isGood) {
    return new StaysReachable<>(name, isGood);
  }
}
