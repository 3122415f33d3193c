package dev.holdfast.guarantee;

import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Ranks the resolutions that meet an operation's needs, cheapest first. A pure function of what the
 * boundaries declare; safe for use by several threads.
 */
public final class Advisor {
  private Advisor() {}

  /**
   * @param boundaries one for each effect, in the order of the effects; the same {@linkplain
   *     Boundary#description() description} is the same boundary. What is recorded is recorded at
   *     the first that has local transactions, whichever place it has, so that its effect comes
   *     first
   * @return the resolutions that apply; empty when none meets the needs, in which case a need has
   *     to go, or a boundary has to offer more
   * @throws IllegalArgumentException if there are no boundaries
   */
  public static List<Advice> rank(List<Boundary> boundaries, Set<Need> needs) {
    if (boundaries.isEmpty()) {
      throw new IllegalArgumentException("An operation has at least one effect; none was given.");
    }
    Boundary first =
        needs.contains(Need.CONSUMED)
            ? boundaries.get(0)
            : boundaries.stream()
                .filter(boundary -> has(boundary, Capability.LOCAL_TRANSACTION))
                .findFirst()
                .orElse(boundaries.get(0));
    List<Boundary> others = new ArrayList<>();
    List<String> seen = new ArrayList<>(List.of(first.description()));
    for (Boundary boundary : boundaries) {
      if (!seen.contains(boundary.description())) {
        seen.add(boundary.description());
        others.add(boundary);
      }
    }
    List<Advice> ranked = new ArrayList<>();
    if (others.isEmpty()) {
      if (boundaries.size() == 1 || has(first, Capability.LOCAL_TRANSACTION)) {
        ranked.add(new Advice(Resolution.LOCAL_TRANSACTION, List.of(), List.of()));
      }
      return ranked;
    }
    for (Resolution resolution : Resolution.values()) {
      if (applies(resolution, first, others, needs)) {
        ranked.add(
            new Advice(
                resolution, absorbs(resolution, others), givenUp(resolution, others, needs)));
      }
    }
    return ranked;
  }

  private static boolean applies(
      Resolution resolution, Boundary first, List<Boundary> others, Set<Need> needs) {
    boolean consumed = needs.contains(Need.CONSUMED);
    boolean records = !consumed && has(first, Capability.LOCAL_TRANSACTION);
    boolean later = !needs.contains(Need.NOW) && !needs.contains(Need.REPLY);
    return switch (resolution) {
      case LOCAL_TRANSACTION -> false;
      // The acknowledgment is repeated until one local commit holds the id and the effect.
      case INBOX ->
          consumed && others.size() == 1 && has(others.get(0), Capability.LOCAL_TRANSACTION);
      case OUTBOX ->
          records
              && later
              && (!needs.contains(Need.NO_DUPLICATE)
                  || others.stream().allMatch(Advisor::absorbsRepeats))
              && (!needs.contains(Need.ORDER)
                  || others.stream().allMatch(b -> has(b, Capability.ORDER_PER_KEY)));
      case TWO_PHASE_COMMIT -> records && others.stream().allMatch(b -> has(b, Capability.PREPARE));
      // Steps run one after another, but two workflows of one key do not wait for each other.
      case WORKFLOW ->
          records
              && !needs.contains(Need.NOW)
              && !needs.contains(Need.ORDER)
              && (!needs.contains(Need.NO_DUPLICATE)
                  || others.stream().allMatch(b -> absorbsRepeats(b) || has(b, Capability.LOOKUP)));
      case RECONCILIATION ->
          records
              && later
              && !needs.contains(Need.ORDER)
              && others.stream()
                  .allMatch(b -> has(b, Capability.LOOKUP) && has(b, Capability.EXPECTED_VERSION));
    };
  }

  private static List<String> absorbs(Resolution resolution, List<Boundary> others) {
    return others.stream().map(b -> b.description() + ": " + absorber(resolution, b)).toList();
  }

  private static String absorber(Resolution resolution, Boundary boundary) {
    if (resolution == Resolution.TWO_PHASE_COMMIT) {
      return "the prepared branch and a witness row";
    }
    if (resolution == Resolution.RECONCILIATION) {
      return "a repair that expects the version it replaces";
    }
    if (has(boundary, Capability.PROGRESS_MARK) && resolution == Resolution.OUTBOX) {
      return "progress committed with the effect";
    }
    if (has(boundary, Capability.LOCAL_TRANSACTION)) {
      return "the message's id committed with the effect";
    }
    if (has(boundary, Capability.IDEMPOTENCY_KEY)) {
      return "an idempotency key, as long as it is kept";
    }
    if (has(boundary, Capability.EXPECTED_VERSION)) {
      return "an expected version";
    }
    if (has(boundary, Capability.DEDUPLICATION)) {
      return "deduplication by id, within its window";
    }
    if (resolution == Resolution.WORKFLOW && has(boundary, Capability.LOOKUP)) {
      return "a lookup before the repeat";
    }
    return "nothing";
  }

  private static List<String> givenUp(
      Resolution resolution, List<Boundary> others, Set<Need> needs) {
    List<String> given = new ArrayList<>();
    given.add(
        resolution == Resolution.TWO_PHASE_COMMIT
            ? "isolation: a reader may see one boundary before the other"
            : "simultaneity: the boundaries differ until the agent has run");
    for (Boundary boundary : others) {
      if (absorber(resolution, boundary).equals("nothing")) {
        given.add("a crash may repeat the effect at " + boundary.description());
      }
    }
    boolean ordered =
        resolution == Resolution.OUTBOX
            && others.stream().allMatch(b -> has(b, Capability.ORDER_PER_KEY));
    if (!ordered && resolution != Resolution.TWO_PHASE_COMMIT && !needs.contains(Need.ORDER)) {
      given.add("order per key");
    }
    if (resolution == Resolution.TWO_PHASE_COMMIT) {
      given.add("availability: locks are held while a participant is away");
    }
    return given;
  }

  private static boolean absorbsRepeats(Boundary boundary) {
    return has(boundary, Capability.PROGRESS_MARK)
        || has(boundary, Capability.LOCAL_TRANSACTION)
        || has(boundary, Capability.IDEMPOTENCY_KEY)
        || has(boundary, Capability.EXPECTED_VERSION)
        || has(boundary, Capability.DEDUPLICATION);
  }

  private static boolean has(Boundary boundary, Capability capability) {
    return boundary.capabilities().contains(capability);
  }
}
