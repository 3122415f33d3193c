package dev.holdfast.guarantee;

import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * What an operation asks of its resolution.
 *
 * @param each beyond that no effect is lost
 * @param outage the longest time that a boundary, or the agent that delivers to it, may be away
 *     between an attempt and its repeat; empty when nothing is asked, and windows are only reported
 */
public record Needs(Set<Need> each, Optional<Duration> outage) {
  /** Nothing beyond that no effect is lost. */
  public static final Needs NONE = new Needs(Set.of(), Optional.empty());

  /**
   * @throws IllegalArgumentException if the outage is not longer than zero
   */
  public Needs {
    each = Set.copyOf(each);
    outage.ifPresent(
        time -> {
          if (time.isZero() || time.isNegative()) {
            throw new IllegalArgumentException(
                "An outage lasts longer than zero; %s was given.".formatted(time));
          }
        });
  }

  /** These, and no outage in particular. */
  public static Needs of(Need... needs) {
    Set<Need> each = EnumSet.noneOf(Need.class);
    each.addAll(Arrays.asList(needs));
    return new Needs(each, Optional.empty());
  }

  /** The same, with a repeat that may come so long after the first attempt. */
  public Needs withOutage(Duration longest) {
    return new Needs(each, Optional.of(longest));
  }

  boolean has(Need need) {
    return each.contains(need);
  }
}
