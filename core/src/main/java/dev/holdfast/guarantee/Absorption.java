package dev.holdfast.guarantee;

import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What makes a repeat harmless at a boundary, and for how long.
 *
 * @param boundary its {@linkplain Boundary#description() description}
 * @param by the capability that it rests on; empty when nothing absorbs, so that a crash may repeat
 *     the effect
 * @param how the same, for people
 * @param window how long after the first attempt; empty as long as the effect itself is there
 */
public record Absorption(
    String boundary, Optional<Capability> by, String how, Optional<Duration> window) {

  /** The window, for people: for how long, or that there is no limit. */
  public String lasts() {
    if (window.isEmpty() && by.equals(Optional.of(Capability.LOCAL_TRANSACTION))) {
      return "as long as it is kept there, which is a setting";
    }
    return (window.isPresent() ? "for " : "") + Times.of(window);
  }

  /**
   * The one that lasts longest of those that the boundary offers to this resolution. What asks or
   * undoes before it repeats is used only where nothing simpler lasts for the outage.
   */
  static Absorption of(Resolution resolution, Boundary boundary, Optional<Duration> outage) {
    Absorption best = longest(resolution, boundary, offers(resolution, boundary));
    if (resolution == Resolution.WORKFLOW && !best.covers(outage)) {
      for (Capability capability : List.of(Capability.LOOKUP, Capability.COMPENSATION)) {
        Absorption other = longest(resolution, boundary, List.of(capability));
        if (other.covers(outage)) {
          return other;
        }
      }
    }
    return best;
  }

  private static Absorption longest(
      Resolution resolution, Boundary boundary, List<Capability> capabilities) {
    Absorption best =
        new Absorption(
            boundary.description(), Optional.empty(), "nothing", Optional.of(Duration.ZERO));
    for (Capability capability : capabilities) {
      Optional<Duration> window = boundary.window(capability);
      if (Layout.has(boundary, capability) && isLonger(window, best.window)) {
        best =
            new Absorption(
                boundary.description(),
                Optional.of(capability),
                how(resolution, capability),
                window);
      }
    }
    return best;
  }

  /** Whether a repeat is absorbed, after an outage of that length, where one is given. */
  boolean covers(Optional<Duration> outage) {
    return isLonger(window, Optional.of(outage.orElse(Duration.ZERO)));
  }

  private static boolean isLonger(Optional<Duration> one, Optional<Duration> other) {
    return other.isPresent() && (one.isEmpty() || one.get().compareTo(other.get()) > 0);
  }

  /** In the order in which they are preferred where they last equally long. */
  private static List<Capability> offers(Resolution resolution, Boundary boundary) {
    List<Capability> usable = new ArrayList<>();
    switch (resolution) {
      case TWO_PHASE_COMMIT -> usable.add(Capability.PREPARE);
      case RESERVATION -> usable.add(Capability.RESERVATION);
      case RECONCILIATION -> usable.add(Capability.EXPECTED_VERSION);
      case OUTBOX, EVENT_SOURCING -> {
        usable.add(Capability.PROGRESS_MARK);
        usable.addAll(byMessage(boundary));
      }
      case INBOX, LOCAL_TRANSACTION, WORKFLOW -> usable.addAll(byMessage(boundary));
    }
    return usable;
  }

  private static List<Capability> byMessage(Boundary boundary) {
    List<Capability> usable =
        new ArrayList<>(
            List.of(
                Capability.IDEMPOTENCY_KEY, Capability.EXPECTED_VERSION, Capability.DEDUPLICATION));
    if (Layout.keepsRecords(boundary)) {
      usable.add(0, Capability.LOCAL_TRANSACTION);
    }
    return usable;
  }

  private static String how(Resolution resolution, Capability capability) {
    return switch (capability) {
      case PREPARE -> "the prepared branch, which is decided once, and a witness row";
      case RESERVATION -> "the hold, which is confirmed or cancelled once";
      case PROGRESS_MARK -> "progress committed with the effect";
      case LOCAL_TRANSACTION ->
          resolution == Resolution.EVENT_SOURCING
              ? "the checkpoint committed with the effect"
              : "the message's id committed with the effect";
      case IDEMPOTENCY_KEY -> "an idempotency key";
      case DEDUPLICATION -> "deduplication by id";
      case EXPECTED_VERSION ->
          resolution == Resolution.RECONCILIATION
              ? "a repair that expects the version it replaces"
              : "an expected version";
      case LOOKUP -> "a lookup before the repeat";
      case COMPENSATION -> "a compensation before the repeat";
      case ORDER_PER_KEY -> throw new IllegalArgumentException("order absorbs nothing");
    };
  }
}
