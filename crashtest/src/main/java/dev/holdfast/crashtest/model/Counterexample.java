package dev.holdfast.crashtest.model;

import java.util.List;

/**
 * The shortest way to a state in which a property does not hold.
 *
 * @param property which does not
 * @param initial where it begins
 * @param trace the steps, the last of which leads to that state
 * @param <S> the model's states
 */
public record Counterexample<S>(Property<S> property, S initial, List<Step<S>> trace) {
  public Counterexample {
    trace = List.copyOf(trace);
  }

  /** The state in which the property does not hold. */
  public S last() {
    return trace.isEmpty() ? initial : trace.get(trace.size() - 1).to();
  }

  /** For people: each step on a line of its own, faults marked by an exclamation mark. */
  public String report() {
    StringBuilder text = new StringBuilder();
    text.append(property.name()).append(": ").append(whatIsWrong()).append('\n');
    text.append("      at first: ").append(initial).append('\n');
    int number = 0;
    for (Step<S> step : trace) {
      number++;
      text.append("%4d %s %s%n".formatted(number, mark(step), step.label()));
    }
    return text.append("      then: ").append(last()).toString();
  }

  @Override
  public String toString() {
    return report();
  }

  private static String mark(Step<?> step) {
    return switch (step.kind()) {
      case PROGRESS -> " ";
      case FAULT -> "!";
    };
  }

  private String whatIsWrong() {
    if (property instanceof Property.Always<S>) {
      return "does not hold after these steps";
    }
    if (property instanceof Property.AtRest<S>) {
      return "does not hold though nothing can happen any more";
    }
    return "cannot be reached any more after these steps, unless by a fault";
  }
}
