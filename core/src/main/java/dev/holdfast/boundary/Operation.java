package dev.holdfast.boundary;

import java.util.List;

/**
 * The effects that belong together: the business transaction.
 *
 * @param id given by the caller or made; every record of Holdfast's carries it
 * @param effects in the order in which they are meant to happen
 */
public record Operation(String id, List<Effect> effects) {
  public Operation {
    effects = List.copyOf(effects);
  }

  /** Whether all effects commit at one boundary, so that one local transaction is enough. */
  public boolean fitsOneCommit() {
    return effects.stream().map(Effect::boundary).distinct().count() <= 1;
  }
}
