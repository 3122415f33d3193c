package dev.holdfast.reservation;

import java.time.Instant;

/** What came of asking for a reservation. */
public sealed interface ReserveResult {

  /**
   * The units are held if the transaction commits.
   *
   * @param expiresAt until when, by the database's clock
   * @param repeated whether they were already, by an earlier transaction that asked for the same
   */
  record Reserved(Instant expiresAt, boolean repeated) implements ReserveResult {}

  /**
   * There are not enough units; nothing is held, and the id is as it was.
   *
   * @param stock the first that lacks units
   * @param available how many it had
   */
  record Insufficient(String stock, long available) implements ReserveResult {}

  /** The id is resolved, perhaps before it was ever reserved, and holds nothing any more. */
  record AlreadyResolved(ReservationState state) implements ReserveResult {}

  /** It is later than the reservation may be made; nothing is held. */
  record TooLate() implements ReserveResult {}

  /** Whether the units are held. */
  default boolean isReserved() {
    return this instanceof Reserved;
  }

  /**
   * For whoever has nothing else to do when nothing is held.
   *
   * @return until when the units are held
   * @throws ReservationRefused when they are not
   */
  default Instant orThrow() {
    if (this instanceof Reserved reserved) {
      return reserved.expiresAt();
    }
    throw new ReservationRefused(
        "Nothing is reserved: " + this + ". Let this exception leave the callback to roll back.");
  }
}
