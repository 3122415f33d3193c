package dev.holdfast.guarantee;

import java.util.Comparator;

/**
 * What a resolution costs for one operation, counted from the number of its commits. A forced write
 * is one commit that has to be durable before anything goes on: a flush to a disk, or what the
 * boundary's acknowledgment stands for. Writes that many operations share, such as an agent's own
 * progress, and the comparisons of a reconciliation are not counted.
 *
 * <p>Costs are compared in the order of the components: what the caller waits for comes before what
 * happens behind it.
 *
 * @param callerForcedWrites that the caller waits for
 * @param callerRoundTrips that the caller waits for beyond its work and commit where the operation
 *     is recorded
 * @param forcedWrites in all, those of the caller included
 * @param agents to run beside the application's own code
 */
public record Cost(int callerForcedWrites, int callerRoundTrips, int forcedWrites, int agents)
    implements Comparable<Cost> {
  private static final Comparator<Cost> CHEAPEST_FIRST =
      Comparator.comparingInt(Cost::callerForcedWrites)
          .thenComparingInt(Cost::callerRoundTrips)
          .thenComparingInt(Cost::forcedWrites)
          .thenComparingInt(Cost::agents);

  /** The cheaper is the smaller. */
  @Override
  public int compareTo(Cost other) {
    return CHEAPEST_FIRST.compare(this, other);
  }

  /**
   * Sources: the outbox row shares the caller's commit, and every other boundary commits once. Two
   * phases: the decision is written down, the branches are prepared, the decision is the first
   * boundary's commit (all before the reply), and each branch is committed once more, which may be
   * behind it. A hold is placed and confirmed likewise, but needs no exchange besides the one that
   * places it, since what nobody confirms expires. A step of a workflow is an intent, the effect
   * and a result.
   */
  static Cost of(Resolution resolution, Layout layout) {
    int others = layout.others().size();
    // The look for the message's id, before the work begins.
    int look = layout.consumes() ? 1 : 0;
    return switch (resolution) {
      case LOCAL_TRANSACTION -> new Cost(1, 0, 1, 0);
      case INBOX -> inbox(layout);
      case OUTBOX, EVENT_SOURCING, RECONCILIATION -> new Cost(1, look, 1 + others, 1);
      case RESERVATION -> new Cost(1 + others, look + others, 1 + 2 * others, 1);
      case TWO_PHASE_COMMIT -> new Cost(1 + others, look + 1 + others, 1 + 2 * others, 1);
      case WORKFLOW -> {
        int all = 1 + 3 * others;
        yield layout.needs().has(Need.REPLY)
            ? new Cost(all, look + 3 * others, all, 1)
            : new Cost(1, look, all, 1);
      }
    };
  }

  private static Cost inbox(Layout layout) {
    int units = layout.units().size();
    boolean looks = layout.units().stream().anyMatch(Layout::keepsRecords);
    return new Cost(units, units - 1 + (looks ? 1 : 0), units, 0);
  }
}
