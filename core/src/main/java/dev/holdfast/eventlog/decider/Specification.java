package dev.holdfast.eventlog.decider;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a decider is to do, as a test: events that were, a command, and what it leads to. Needs no
 * database and no test framework; what is not so is an {@link AssertionError}. The crash lab
 * carries the same out on a real log.
 *
 * <pre>{@code
 * Specification.of(orders).given(new Placed(3)).when(new Ship()).then(new Shipped());
 * }</pre>
 *
 * @param <C> commands
 * @param <E> events
 * @param <S> the state
 */
public final class Specification<C, E, S> {
  private final Decider<C, E, S> decider;
  private final List<E> given;

  private Specification(Decider<C, E, S> decider, List<E> given) {
    this.decider = decider;
    this.given = given;
  }

  public static <C, E, S> Specification<C, E, S> of(Decider<C, E, S> decider) {
    return new Specification<>(decider, List.of());
  }

  /** The same, behind these events as well. */
  @SafeVarargs
  @SuppressWarnings("varargs") // Copied at once.
  public final Specification<C, E, S> given(E... events) {
    List<E> all = new ArrayList<>(given);
    all.addAll(List.of(events));
    return new Specification<>(decider, List.copyOf(all));
  }

  /** Decides a command. */
  public When<C, E, S> when(C command) {
    S before = decider.evolve(decider.initial(), given);
    try {
      List<E> events = decider.decide(before, command);
      return new When<>(this, command, events, decider.evolve(before, events), null);
    } catch (RuntimeException refusal) {
      return new When<>(this, command, List.of(), before, refusal);
    }
  }

  public Decider<C, E, S> decider() {
    return decider;
  }

  /** The events before the command. */
  public List<E> given() {
    return given;
  }

  /** A command that was decided. */
  public static final class When<C, E, S> {
    private final Specification<C, E, S> specification;
    private final C command;
    private final List<E> events;
    private final S state;
    private final @Nullable RuntimeException refusal;

    private When(
        Specification<C, E, S> specification,
        C command,
        List<E> events,
        S state,
        @Nullable RuntimeException refusal) {
      this.specification = specification;
      this.command = command;
      this.events = events;
      this.state = state;
      this.refusal = refusal;
    }

    /**
     * It leads to these events, and no others; none for a command that changes nothing.
     *
     * @throws AssertionError when it does not
     */
    @SafeVarargs
    @SuppressWarnings("varargs") // Copied at once.
    public final When<C, E, S> then(E... expected) {
      requireAccepted();
      require("events", List.of(expected), events);
      return this;
    }

    /** The state behind it is this. */
    public When<C, E, S> thenState(S expected) {
      requireAccepted();
      require("state", expected, state);
      return this;
    }

    /** It is refused by such an exception. */
    public When<C, E, S> thenRefused(Class<? extends RuntimeException> expected) {
      if (!expected.isInstance(refusal)) {
        throw new AssertionError(
            refusal == null
                ? "The command %s leads to %s, and should be refused by %s."
                    .formatted(command, events, expected.getName())
                : "The command %s is refused by %s, and should be by %s."
                    .formatted(command, refusal, expected.getName()),
            refusal);
      }
      return this;
    }

    private void requireAccepted() {
      if (refusal != null) {
        throw new AssertionError(
            "The command %s is refused: %s.".formatted(command, refusal), refusal);
      }
    }

    private void require(String what, Object expected, Object actual) {
      if (!Objects.equals(expected, actual)) {
        throw new AssertionError(
            "Given %s, the command %s has come to the %s%n  %s%nand not to%n  %s"
                .formatted(specification.given(), command, what, actual, expected));
      }
    }

    public Specification<C, E, S> specification() {
      return specification;
    }

    public C command() {
      return command;
    }

    /** What it leads to; none when it is refused. */
    public List<E> events() {
      return events;
    }
  }
}
