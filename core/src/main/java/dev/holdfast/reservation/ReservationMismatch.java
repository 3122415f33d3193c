package dev.holdfast.reservation;

/** The id of a reservation is used for other content than before. Nothing was changed. */
public final class ReservationMismatch extends ReservationRefused {
  private static final long serialVersionUID = 1L;

  public ReservationMismatch(String message) {
    super(message);
  }
}
