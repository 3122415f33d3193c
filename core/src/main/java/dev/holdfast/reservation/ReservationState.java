package dev.holdfast.reservation;

/** What has become of a reservation. All but the first two are final. */
public enum ReservationState {
  /** Nothing is known of the id: it was never reserved, or it is forgotten. */
  NONE,
  /** Its units are held until it is resolved, at the latest when it expires. */
  HELD,
  /** Its units, or the confirmed part of them, are sold. */
  CONFIRMED,
  /** Its units were given back; or it was cancelled first, and cannot be reserved any more. */
  CANCELLED,
  /** Nobody resolved it in time, and its units were given back. */
  EXPIRED
}
