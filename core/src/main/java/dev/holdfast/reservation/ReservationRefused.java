package dev.holdfast.reservation;

import dev.holdfast.HoldfastException;

/**
 * A reservation, or a change of a stock, is not possible. Nothing was changed by it, and the
 * transaction can go on.
 */
public class ReservationRefused extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public ReservationRefused(String message) {
    super(message);
  }
}
