package dev.holdfast.guarantee;

import java.util.List;
import java.util.Optional;

/**
 * Every {@link Resolution}, either sound for an operation or excluded.
 *
 * @param sound those that meet the needs, cheapest first; empty when a need has to go or a boundary
 *     has to offer more
 * @param excluded the others, with what excludes them, in the order of the constants
 */
public record Ranking(List<Advice> sound, List<Excluded> excluded) {
  public Ranking {
    sound = List.copyOf(sound);
    excluded = List.copyOf(excluded);
  }

  /** The cheapest sound one. */
  public Optional<Advice> best() {
    return sound.stream().findFirst();
  }
}
