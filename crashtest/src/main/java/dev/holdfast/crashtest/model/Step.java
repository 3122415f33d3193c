package dev.holdfast.crashtest.model;

/**
 * One thing that happens, whole: nothing else happens in between.
 *
 * @param label who does what, for a person who reads a trace
 * @param to the state afterwards
 * @param kind whether the protocol can rely on it
 * @param <S> the model's states
 */
public record Step<S>(String label, S to, Kind kind) {

  /** What kind of step it is. */
  public enum Kind {
    /** What the protocol, or its environment, does sooner or later if it stays possible. */
    PROGRESS,
    /** What may happen and may as well never: a crash, a lost reply, a choice of the user's. */
    FAULT
  }

  public static <S> Step<S> progress(String label, S to) {
    return new Step<>(label, to, Kind.PROGRESS);
  }

  public static <S> Step<S> fault(String label, S to) {
    return new Step<>(label, to, Kind.FAULT);
  }
}
