package dev.holdfast.crashtest.model;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.crashtest.model.Property.Always;
import dev.holdfast.crashtest.model.Property.AtRest;
import dev.holdfast.crashtest.model.Property.StaysReachable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One breadth-first search. States are numbered in the order in which they are found, so that the
 * numbers are the queue as well. Of the way to a state only the state before it is kept; labels are
 * asked for again.
 */
final class Search<S> {
  private final Model<S> model;
  private final int statesAtMost;
  private final int stepsAtMost;
  private final List<Always<S>> always = new ArrayList<>();
  private final List<AtRest<S>> atRest = new ArrayList<>();
  private final List<StaysReachable<S>> reachable = new ArrayList<>();
  private final Map<S, Integer> numbers = new HashMap<>();
  private final List<S> states = new ArrayList<>();
  private final Ints cameFrom = new Ints();

  /** Where the steps of each state begin in {@link #targets}: those that are no faults. */
  private final Ints starts = new Ints();

  private final Ints targets = new Ints();
  private @Nullable Counterexample<S> found;

  Search(Model<S> model, int statesAtMost, int stepsAtMost) {
    this.model = model;
    this.statesAtMost = statesAtMost;
    this.stepsAtMost = stepsAtMost;
    for (Property<S> property : model.properties()) {
      if (property instanceof Always<S> each) {
        always.add(each);
      } else if (property instanceof AtRest<S> each) {
        atRest.add(each);
      } else if (property instanceof StaysReachable<S> each) {
        reachable.add(each);
      }
    }
  }

  Exploration<S> run() {
    for (S initial : model.initial()) {
      visit(initial, -1);
    }
    if (states.isEmpty()) {
      throw new InvalidConfiguration(
          "The model has no initial state, so nothing was explored. Give it one.");
    }
    long steps = 0;
    int depth = 0;
    int endOfLevel = states.size();
    for (int at = 0; at < states.size() && found == null; at++) {
      if (at == endOfLevel) {
        depth++;
        endOfLevel = states.size();
      }
      steps += expand(at);
    }
    if (states.size() > endOfLevel) {
      depth++;
    }
    if (found == null && !reachable.isEmpty()) {
      starts.add(targets.size());
      checkReachable();
    }
    return new Exploration<>(states.size(), steps, depth, Optional.ofNullable(found));
  }

  /** Returns how many steps there are. */
  private int expand(int at) {
    S from = states.get(at);
    List<Step<S>> steps = model.steps(from);
    starts.add(targets.size());
    boolean isAtRest = true;
    for (Step<S> step : steps) {
      int to = visit(step.to(), at);
      isAtRest &= to == at;
      if (!reachable.isEmpty() && step.kind() == Step.Kind.PROGRESS && to != at) {
        if (targets.size() == stepsAtMost) {
          throw tooLarge("steps", stepsAtMost);
        }
        targets.add(to);
      }
      if (found != null) {
        return steps.size();
      }
    }
    if (isAtRest) {
      for (AtRest<S> property : atRest) {
        check(property, property.holds(), at);
      }
    }
    return steps.size();
  }

  private int visit(S state, int before) {
    Integer known = numbers.putIfAbsent(state, states.size());
    if (known != null) {
      return known;
    }
    if (states.size() == statesAtMost) {
      throw tooLarge("states", statesAtMost);
    }
    int number = states.size();
    states.add(state);
    cameFrom.add(before);
    for (Always<S> property : always) {
      check(property, property.holds(), number);
    }
    return number;
  }

  private void check(Property<S> property, Predicate<S> holds, int number) {
    if (found == null && !holds.test(states.get(number))) {
      found = wayTo(property, number);
    }
  }

  private ModelTooLarge tooLarge(String what, int bound) {
    return new ModelTooLarge(
        "The model has more than %,d %s. Nothing that was seen of it violates a property, which proves nothing. Make the model smaller, or raise the bound. The last state seen: %s"
            .formatted(bound, what, states.get(states.size() - 1)));
  }

  private void checkReachable() {
    Ints[] backwards = backwards();
    for (StaysReachable<S> property : reachable) {
      if (found == null) {
        checkReachable(property, backwards[0], backwards[1]);
      }
    }
  }

  /** Walks from the good states backwards; what is not met cannot reach them. */
  private void checkReachable(StaysReachable<S> property, Ints offsets, Ints sources) {
    int count = states.size();
    BitSet reaching = new BitSet(count);
    Deque<Integer> todo = new ArrayDeque<>();
    for (int i = 0; i < count; i++) {
      if (property.isGood().test(states.get(i))) {
        reaching.set(i);
        todo.add(i);
      }
    }
    while (!todo.isEmpty()) {
      int to = todo.remove();
      for (int k = offsets.get(to); k < offsets.get(to + 1); k++) {
        int from = sources.get(k);
        if (!reaching.get(from)) {
          reaching.set(from);
          todo.add(from);
        }
      }
    }
    int first = reaching.nextClearBit(0);
    if (first < count) {
      found = wayTo(property, first);
    }
  }

  /** The steps by where they lead to: where those of a state begin, and where they come from. */
  private Ints[] backwards() {
    int count = states.size();
    int[] offsets = new int[count + 1];
    for (int k = 0; k < targets.size(); k++) {
      offsets[targets.get(k) + 1]++;
    }
    for (int i = 0; i < count; i++) {
      offsets[i + 1] += offsets[i];
    }
    int[] next = offsets.clone();
    int[] sources = new int[targets.size()];
    for (int from = 0; from < count; from++) {
      for (int k = starts.get(from); k < starts.get(from + 1); k++) {
        sources[next[targets.get(k)]++] = from;
      }
    }
    return new Ints[] {new Ints(offsets), new Ints(sources)};
  }

  private Counterexample<S> wayTo(Property<S> property, int last) {
    List<Step<S>> trace = new ArrayList<>();
    int at = last;
    while (cameFrom.get(at) >= 0) {
      S to = states.get(at);
      at = cameFrom.get(at);
      trace.add(
          model.steps(states.get(at)).stream()
              .filter(step -> step.to().equals(to))
              .findFirst()
              .orElseThrow(
                  () ->
                      new InvalidConfiguration(
                          "The model has had a step to %s, and has it no more. Its steps must depend on the state alone."
                              .formatted(to))));
    }
    Collections.reverse(trace);
    return new Counterexample<>(property, states.get(at), trace);
  }
}
