package dev.holdfast.reservation;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Transaction;
import dev.holdfast.reservation.store.ReservationStore;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Units of named stocks, held and then confirmed or given back. Thread-safe.
 *
 * <p>Every method but {@link #keepFor} is a part of the caller's transaction, in one round trip,
 * and leaves nothing when that rolls back or crashes. In a transaction that somebody else manages,
 * go through {@link dev.holdfast.Holdfast#join}, which costs no round trip.
 *
 * <p>A reservation is resolved once. Of several that confirm, cancel and expire it at the same time
 * one does, and the others wait for its transaction and are told. Whether it is due is decided by
 * the database's clock in the moment in which its row is locked: from {@code expiresAt} on nobody
 * can confirm it, and everybody who comes across it, to confirm or cancel it, to reserve what it
 * holds, or in the upkeep, gives its units back.
 *
 * <p>There is never more held and confirmed of a stock than it has units. Those who reserve do not
 * wait for each other as long as there is plenty; those who confirm and cancel wait for nobody but
 * those who resolve the same reservation.
 *
 * <p>To reserve several stocks, name them in one reservation: they are then locked in one order,
 * and nobody meets anybody in a deadlock. Two calls in one transaction lock in the order of the
 * calls.
 */
public final class Reservations {
  private final ReservationStore store;

  /** On a store; usually {@link dev.holdfast.Holdfast#reservations()} is shorter. */
  public Reservations(ReservationStore store) {
    this.store = store;
  }

  /**
   * Holds units. Asked again with the same id and the same quantities it answers what has become of
   * them and changes nothing; so a caller that does not know whether it has reserved asks again.
   *
   * @throws ReservationMismatch when the id was used for other quantities
   * @throws ReservationRefused when there is no such stock
   * @throws dev.holdfast.NoTransaction when the connection is in autocommit mode
   */
  public ReserveResult reserve(Transaction tx, Reservation reservation) throws SQLException {
    return store.reserve(tx.connection(), reservation, tx.operationId());
  }

  /**
   * Confirms all that is held.
   *
   * @return confirmed, by this call or by one before; or what it is instead, which is final, but
   *     for {@link ReservationState#NONE}
   * @throws ReservationMismatch when it was confirmed in part before
   */
  public Resolved confirm(Transaction tx, String id) throws SQLException {
    return store.confirm(tx.connection(), id, null, tx.operationId());
  }

  /**
   * Confirms some of what is held of each stock, and gives the rest back.
   *
   * @param quantities 1 or more each; what is not named is given back
   * @throws ReservationRefused when that is more than is held; nothing is changed
   * @throws ReservationMismatch when it was confirmed otherwise before
   */
  public Resolved confirm(Transaction tx, String id, Map<String, Long> quantities)
      throws SQLException {
    if (quantities.isEmpty() || quantities.size() > Reservation.MOST_STOCKS) {
      throw new IllegalArgumentException(
          "To confirm some of %s, name 1 to %d stocks, not %d."
              .formatted(id, Reservation.MOST_STOCKS, quantities.size()));
    }
    quantities.forEach(Reservation::requireQuantity);
    return store.confirm(tx.connection(), id, quantities, tx.operationId());
  }

  /**
   * Gives back all that is held. An id that is not known cannot be reserved from then on, as long
   * as it is kept: whoever was about to reserve, and is late, finds it cancelled.
   *
   * @return holding nothing, since it is cancelled, or has expired; or confirmed, which is final
   */
  public Resolved cancel(Transaction tx, String id) throws SQLException {
    Reservation.requireName("The id of a reservation", id);
    return store.cancel(tx.connection(), id, tx.operationId());
  }

  /** What has become of a reservation; one that is due counts as expired. Locks nothing. */
  public ReservationState state(Transaction tx, String id) throws SQLException {
    return store.state(tx.connection(), id);
  }

  /**
   * Makes a stock, or says how many units it has in all: those that can be had, are held, and are
   * confirmed. Waits for those who are reserving of it.
   *
   * @param capacity 0 to 10^18
   * @throws ReservationRefused when more than that is held and confirmed; nothing is changed
   */
  public void setCapacity(Transaction tx, String stock, long capacity) throws SQLException {
    setCapacity(tx, stock, capacity, null);
  }

  /**
   * As {@link #setCapacity(Transaction, String, long)}, in so many stripes: transactions that may
   * reserve at the same time without waiting for one another. Unless said otherwise 8, and 1 for a
   * stock that is made with less than 64 units.
   *
   * @param stripes 1 to 64; {@code null} leaves them as they are
   */
  public void setCapacity(Transaction tx, String stock, long capacity, @Nullable Integer stripes)
      throws SQLException {
    Reservation.requireName("The name of a stock", stock);
    if (capacity < 0 || capacity > 1_000_000_000_000_000_000L) {
      throw new IllegalArgumentException(
          "The capacity of %s is %d, and must be 0 to 10^18.".formatted(stock, capacity));
    }
    if (stripes != null && (stripes < 1 || stripes > 64)) {
      throw new IllegalArgumentException(
          "The stripes of %s are %d, and must be 1 to 64.".formatted(stock, stripes));
    }
    changed(stock, store.setCapacity(tx.connection(), stock, capacity, stripes));
  }

  /**
   * Adds units to a stock, or with a negative number takes them away. Not idempotent.
   *
   * @return how many it has in all
   * @throws ReservationRefused when there is no such stock, or not as many units are free; nothing
   *     is changed
   */
  public long addCapacity(Transaction tx, String stock, long units) throws SQLException {
    return changed(stock, store.addCapacity(tx.connection(), stock, units));
  }

  private static long changed(String stock, OptionalLong capacity) {
    return capacity.orElseThrow(
        () ->
            new ReservationRefused(
                "There is no stock %s, or more of it is held and confirmed than it would have units, so nothing was changed. Cancel some of it, or wait until it expires."
                    .formatted(stock)));
  }

  /**
   * How many units could be had now; 0 when there is no such stock. Locks nothing, and is out of
   * date when it is read: reserve rather than ask.
   */
  public long available(Transaction tx, String stock) throws SQLException {
    return store.available(tx.connection(), stock);
  }

  /**
   * How long what is resolved is kept, at least, for all processes; 7 days when never set. In a
   * transaction of its own.
   *
   * @param retention 1 s to a year; as long as a message that reserves may still be delivered
   * @throws InvalidConfiguration when it is out of its bounds
   */
  public void keepFor(Duration retention) {
    if (retention.compareTo(Duration.ofSeconds(1)) < 0
        || retention.compareTo(Duration.ofDays(365)) > 0) {
      throw new InvalidConfiguration(
          "Resolved reservations are to be kept for %s, and must be for 1 s to a year. Nothing was changed."
              .formatted(retention));
    }
    store.keepFor(retention);
  }
}
