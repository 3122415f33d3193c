package dev.holdfast.http;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A service that a workflow calls over HTTP, as a boundary: what its own documentation says of it,
 * and nobody here can find out. Immutable and thread-safe.
 *
 * @param keysKeptFor for how long it answers a repeat under the same key instead of executing it;
 *     {@code null} where it does not know keys
 * @param canBeAsked whether it says what became of a request, by its key
 * @param canBeUndone whether it has something that undoes a request, by its key, once however often
 *     it is asked to
 */
public record HttpService(@Nullable Duration keysKeptFor, boolean canBeAsked, boolean canBeUndone)
    implements Boundary {
  private static final Assumption KEYS =
      new Assumption(
          "service.keys",
          Capability.IDEMPOTENCY_KEY,
          "The service executes what comes under a key once, as long as it keeps keys, also when the same comes twice at the same time.",
          Set.of());
  private static final Assumption LOOKUP =
      new Assumption(
          "service.lookup",
          Capability.LOOKUP,
          "What the service says has happened has, and what it says will not happen never will; a request that it has not seen when the settling time has passed is not on its way any more.",
          Set.of());
  private static final Assumption UNDO =
      new Assumption(
          "service.undo",
          Capability.COMPENSATION,
          "What undoes a request at the service can be asked for again, and for a request that never came.",
          Set.of());

  @Override
  public String description() {
    return "http service";
  }

  @Override
  public String kind() {
    return capabilities().isEmpty() ? "http service (bare)" : "http service";
  }

  @Override
  public Set<Capability> capabilities() {
    Set<Capability> all = EnumSet.noneOf(Capability.class);
    if (keysKeptFor != null) {
      all.add(Capability.IDEMPOTENCY_KEY);
    }
    if (canBeAsked) {
      all.add(Capability.LOOKUP);
    }
    if (canBeUndone) {
      all.add(Capability.COMPENSATION);
    }
    return all;
  }

  /** What a response says of its durability is the service's own affair. */
  @Override
  public Acknowledgment acknowledgment() {
    return Acknowledgment.ACCEPTED;
  }

  @Override
  public List<Assumption> assumptions() {
    List<Assumption> all = new ArrayList<>();
    for (Assumption each : List.of(KEYS, LOOKUP, UNDO)) {
      if (capabilities().contains(each.of())) {
        all.add(each);
      }
    }
    return all;
  }

  @Override
  public Optional<Duration> window(Capability capability) {
    return capability == Capability.IDEMPOTENCY_KEY && keysKeptFor != null
        ? Optional.of(keysKeptFor)
        : Boundary.super.window(capability);
  }
}
