package dev.holdfast.reservation;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is to be reserved. Immutable.
 *
 * @param id names it, 1 to 200 characters: chosen by the caller, and the same whenever the same is
 *     asked for again, as {@code order-17}
 * @param quantities how many units of which stock; all of them are held, or none. 1 to 100 stocks
 * @param holdFor how long they are held from when they are reserved, by the database's clock; 1 ms
 *     to a year, 15 min unless set. No part of what tells two reservations of one id apart
 * @param notAfter when it is too late to reserve, by the database's clock; {@code null} is never. A
 *     message that is delivered when its id is forgotten, since it was resolved longer ago than the
 *     retention, would reserve anew; when this is the moment at which the id was chosen plus the
 *     retention or less, it cannot
 */
public record Reservation(
    String id, Map<String, Long> quantities, Duration holdFor, @Nullable Instant notAfter) {
  private static final Duration LONGEST = Duration.ofDays(365);
  static final int MOST_STOCKS = 100;

  /**
   * @throws IllegalArgumentException when one of them is out of its bounds
   */
  public Reservation {
    requireName("The id of a reservation", id);
    if (quantities.isEmpty() || quantities.size() > MOST_STOCKS) {
      throw new IllegalArgumentException(
          "A reservation is of 1 to %d stocks, and %s is of %d."
              .formatted(MOST_STOCKS, id, quantities.size()));
    }
    quantities.forEach(Reservation::requireQuantity);
    quantities = Collections.unmodifiableMap(new TreeMap<>(quantities));
    requireTime("A reservation", holdFor);
  }

  /** Some units of one stock, for 15 minutes. */
  public static Reservation of(String id, String stock, long quantity) {
    return new Reservation(id, Map.of(stock, quantity), Duration.ofMinutes(15), null);
  }

  /** The same, with some units of one more stock. */
  public Reservation and(String stock, long quantity) {
    Map<String, Long> more = new TreeMap<>(quantities);
    if (more.put(stock, quantity) != null) {
      throw new IllegalArgumentException("%s names the stock %s twice.".formatted(id, stock));
    }
    return new Reservation(id, more, holdFor, notAfter);
  }

  public Reservation holdFor(Duration value) {
    return new Reservation(id, quantities, value, notAfter);
  }

  public Reservation notAfter(Instant value) {
    return new Reservation(id, quantities, holdFor, value);
  }

  static void requireName(String what, String name) {
    int length = name.codePointCount(0, name.length());
    if (length < 1 || length > 200) {
      throw new IllegalArgumentException(
          "%s has %d characters, and must have 1 to 200.".formatted(what, length));
    }
  }

  static void requireQuantity(String stock, long quantity) {
    requireName("The name of a stock", stock);
    if (quantity < 1) {
      throw new IllegalArgumentException(
          "A quantity of %s is %d, and must be 1 or more.".formatted(stock, quantity));
    }
  }

  static void requireTime(String what, Duration time) {
    if (time.compareTo(Duration.ofMillis(1)) < 0 || time.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(
          "%s is held for %s, and must be for 1 ms to a year.".formatted(what, time));
    }
  }
}
