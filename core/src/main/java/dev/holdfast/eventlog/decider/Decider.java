package dev.holdfast.eventlog.decider;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.eventlog.Leaves;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a command leads to, and what an event changes, as pure functions of the state: they have no
 * effects, and ask for no time and no randomness; what they need of these is in the command.
 *
 * <p>Commands and events are sealed types, and each of their classes has to be handled, or nothing
 * is built: an event that nobody handles would be a silent hole in the state. Immutable and
 * thread-safe, as the functions have to be.
 *
 * @param <C> commands
 * @param <E> events
 * @param <S> the state; never changed, but replaced
 */
public final class Decider<C, E, S> {
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,99}");

  private final String name;
  private final Class<E> events;
  private final S initial;
  private final Map<Class<?>, Decide<C, E, S>> decisions;
  private final Map<Class<?>, Evolve<E, S>> evolutions;

  /** What a command leads to in a state. */
  @FunctionalInterface
  public interface Decide<C, E, S> {
    /**
     * @return the events, in their order; none when there is nothing to be done
     * @throws RuntimeException to refuse the command; nothing is appended
     */
    List<? extends E> decide(S state, C command);
  }

  /** What an event changes. */
  @FunctionalInterface
  public interface Evolve<E, S> {
    /**
     * @return the state behind the event; never null
     */
    S evolve(S state, E event);
  }

  private Decider(
      String name,
      Class<E> events,
      S initial,
      Map<Class<?>, Decide<C, E, S>> decisions,
      Map<Class<?>, Evolve<E, S>> evolutions) {
    this.name = name;
    this.events = events;
    this.initial = initial;
    this.decisions = decisions;
    this.evolutions = evolutions;
  }

  /**
   * Begins to describe one.
   *
   * @param name 1 to 100 of {@code a-z 0-9 . _ -}; keep it stable
   * @param commands a sealed type, or a final class
   * @param events a sealed type, or a final class
   * @param initial the state before the first event
   */
  public static <C, E, S> Builder<C, E, S> of(
      String name, Class<C> commands, Class<E> events, S initial) {
    return new Builder<>(name, commands, events, initial);
  }

  /** Describes a decider. Not thread-safe. */
  public static final class Builder<C, E, S> {
    private final String name;
    private final Class<C> commands;
    private final Class<E> events;
    private final S initial;
    private final Map<Class<?>, Decide<C, E, S>> decisions = new LinkedHashMap<>();
    private final Map<Class<?>, Evolve<E, S>> evolutions = new LinkedHashMap<>();

    private Builder(String name, Class<C> commands, Class<E> events, S initial) {
      if (!NAME.matcher(name).matches()) {
        throw new InvalidConfiguration(
            "A decider is named \"%s\": names have 1 to 100 of the characters a-z 0-9 . _ -, and begin with a letter or a digit. Nothing was built."
                .formatted(name));
      }
      this.name = name;
      this.commands = commands;
      this.events = events;
      this.initial = initial;
    }

    /**
     * Decides commands of a class, or of all classes below it that have no handler of their own.
     *
     * @throws InvalidConfiguration when there is one for this class
     */
    public <T extends C> Builder<C, E, S> decide(Class<T> command, Decide<T, E, S> decide) {
      requireNew(
          command, decisions.put(command, (state, one) -> decide.decide(state, command.cast(one))));
      return this;
    }

    /** Applies events of a class, or of all classes below it that have no handler of their own. */
    public <T extends E> Builder<C, E, S> evolve(Class<T> event, Evolve<T, S> evolve) {
      requireNew(
          event, evolutions.put(event, (state, one) -> evolve.evolve(state, event.cast(one))));
      return this;
    }

    private void requireNew(Class<?> type, @Nullable Object before) {
      if (before != null) {
        throw new InvalidConfiguration(
            "%s has two handlers in the decider %s. Nothing was built."
                .formatted(type.getName(), name));
      }
    }

    /**
     * @throws InvalidConfiguration when a command or an event is handled by nobody, or by several
     */
    public Decider<C, E, S> build() {
      return new Decider<>(
          name,
          events,
          initial,
          Leaves.assign(Leaves.of("Command", commands), decisions, "decide(…)"),
          Leaves.assign(Leaves.of("Event", events), evolutions, "evolve(…)"));
    }
  }

  public String name() {
    return name;
  }

  Class<E> events() {
    return events;
  }

  /** The state before the first event. */
  public S initial() {
    return initial;
  }

  /**
   * What a command leads to.
   *
   * @throws RuntimeException what the decision has thrown
   */
  public List<E> decide(S state, C command) {
    Decide<C, E, S> decide = Objects.requireNonNull(decisions.get(command.getClass()));
    return List.copyOf(decide.decide(state, command));
  }

  /** The state behind one more event. */
  public S evolve(S state, E event) {
    Evolve<E, S> evolve = Objects.requireNonNull(evolutions.get(event.getClass()));
    return Objects.requireNonNull(
        evolve.evolve(state, event), () -> "the state behind " + event.getClass().getName());
  }

  /** The state behind events. */
  public S evolve(S state, Iterable<? extends E> all) {
    S now = state;
    for (E event : all) {
      now = evolve(now, event);
    }
    return now;
  }

  @Override
  public String toString() {
    return "decider " + name;
  }
}
