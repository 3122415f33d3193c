package dev.holdfast.reservation;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a reservation is when it was asked to be confirmed or cancelled.
 *
 * @param state never {@link ReservationState#HELD}; {@link ReservationState#NONE} when there was
 *     nothing to be confirmed
 * @param first whether this call has made it so; a repeat finds it so
 * @param asAsked whether it is what was asked for: confirmed, or holding nothing
 * @param confirmed how many units of which stock are confirmed
 * @param operationId of the operation that resolved it; {@code null} when time did, or it is not
 *     known
 */
public record Resolved(
    String id,
    ReservationState state,
    boolean first,
    boolean asAsked,
    Map<String, Long> confirmed,
    @Nullable String operationId) {
  public Resolved {
    confirmed = Map.copyOf(confirmed);
  }

  /**
   * For whoever cannot go on when it is not {@link #asAsked}.
   *
   * @throws ReservationRefused when it is not
   */
  public Resolved orThrow() {
    if (!asAsked) {
      throw new ReservationRefused(
          "The reservation %s is %s, which is not what was asked for, and stays so. Let this exception leave the callback to roll back."
              .formatted(id, state));
    }
    return this;
  }
}
