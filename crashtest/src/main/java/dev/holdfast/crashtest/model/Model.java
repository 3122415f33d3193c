package dev.holdfast.crashtest.model;

import java.util.List;

/**
 * A protocol and its environment, as all their states and steps.
 *
 * <p>Called by one thread. The same state must always have the same steps.
 *
 * @param <S> a state: immutable, with {@code equals} and {@code hashCode} by value, and a {@code
 *     toString} that a person can read; a record of records and enums is all that
 */
public interface Model<S> {

  /** What is there at first; at least one state. */
  List<S> initial();

  /** Everything that can happen next, in every state that {@link #initial} leads to. */
  List<Step<S>> steps(S from);

  /** What must hold. */
  List<Property<S>> properties();
}
