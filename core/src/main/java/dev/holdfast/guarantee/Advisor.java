package dev.holdfast.guarantee;

import dev.holdfast.boundary.Boundary;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Ranks the resolutions that meet an operation's needs, cheapest first. A pure function of what the
 * boundaries declare; safe for use by several threads.
 *
 * <p>The ranking answers what is cheapest of what is sound; whether this version of Holdfast
 * carries it out is said beside it ({@link Advice#carriedOut()}) and ranks nothing. Of equal {@link
 * Cost}, the order of the {@link Resolution}s decides.
 */
public final class Advisor {
  private Advisor() {}

  /**
   * Advises an operation that somebody calls.
   *
   * @param effects the boundary of each effect, in the order in which the effects are meant to
   *     happen; the same {@linkplain Boundary#description() description} is the same boundary.
   *     Effects at a boundary with local transactions, or with a progress mark, are one commit
   *     there. Where several boundaries could hold the record, the one with which it is cheapest
   *     does, the first of them where they are equal
   * @throws IllegalArgumentException if there are no effects
   */
  public static Ranking rank(List<Boundary> effects, Needs needs) {
    return rank(Optional.empty(), effects, needs);
  }

  /**
   * Advises an operation that begins with a message, or with a request whose sender repeats it
   * until it is acknowledged: the acknowledgment is one more commit.
   *
   * @param source where the message comes from; it may be the boundary of an effect as well
   * @param effects as in {@link #rank}, without the acknowledgment
   * @throws IllegalArgumentException if there are no effects
   */
  public static Ranking rankConsumed(Boundary source, List<Boundary> effects, Needs needs) {
    return rank(Optional.of(source), effects, needs);
  }

  private static Ranking rank(Optional<Boundary> source, List<Boundary> effects, Needs needs) {
    if (effects.isEmpty()) {
      throw new IllegalArgumentException("An operation has at least one effect; none was given.");
    }
    List<Layout> layouts = Layout.of(source, effects, needs);
    List<Advice> sound = new ArrayList<>();
    List<Excluded> excluded = new ArrayList<>();
    for (Resolution resolution : Resolution.values()) {
      layouts.stream()
          .filter(layout -> Exclusions.of(resolution, layout).isEmpty())
          .map(layout -> advice(resolution, layout))
          .min(Comparator.comparing(Advice::cost))
          .ifPresentOrElse(
              sound::add,
              () -> excluded.add(new Excluded(resolution, reasons(resolution, layouts))));
    }
    // The sort is stable: of equal cost, the order of the constants stays.
    sound.sort(Comparator.comparing(Advice::cost));
    return new Ranking(sound, excluded);
  }

  /** Those of the layout that comes nearest to being sound. */
  private static List<String> reasons(Resolution resolution, List<Layout> layouts) {
    return layouts.stream()
        .map(layout -> Exclusions.of(resolution, layout))
        .min(Comparator.comparingInt(List::size))
        .orElseThrow();
  }

  private static Advice advice(Resolution resolution, Layout layout) {
    List<Boundary> repeated =
        switch (resolution) {
          case LOCAL_TRANSACTION -> layout.isOneTransaction() ? List.of() : layout.units();
          case INBOX -> layout.units();
          case OUTBOX, EVENT_SOURCING, RESERVATION, TWO_PHASE_COMMIT, WORKFLOW, RECONCILIATION ->
              layout.others();
        };
    // A workflow has the message's id for its own, so that it begins once without an inbox.
    boolean behindInbox =
        layout.consumes()
            && switch (resolution) {
              case LOCAL_TRANSACTION, INBOX, WORKFLOW -> false;
              case OUTBOX, EVENT_SOURCING, RESERVATION, TWO_PHASE_COMMIT, RECONCILIATION -> true;
            };
    Optional<Duration> outage = layout.needs().outage();
    List<Absorption> absorbs = new ArrayList<>();
    if (behindInbox) {
      layout
          .recorder()
          .map(recorder -> Absorption.of(Resolution.INBOX, recorder, outage))
          .ifPresent(absorbs::add);
    }
    repeated.stream()
        .map(boundary -> Absorption.of(resolution, boundary, outage))
        .distinct()
        .forEach(absorbs::add);
    return new Advice(
        resolution,
        behindInbox,
        recordedAt(resolution, layout),
        Cost.of(resolution, layout),
        absorbs,
        GivenUp.of(resolution, layout, absorbs));
  }

  private static Optional<String> recordedAt(Resolution resolution, Layout layout) {
    return switch (resolution) {
      case LOCAL_TRANSACTION -> Optional.of(layout.units().get(0).description());
      case INBOX, RECONCILIATION -> Optional.empty();
      case OUTBOX, EVENT_SOURCING, RESERVATION, TWO_PHASE_COMMIT, WORKFLOW ->
          layout.recorder().map(Boundary::description);
    };
  }
}
