package dev.holdfast.twophase.store;

import java.math.BigDecimal;

/**
 * Stands for the serials and nonces of decisions or of witnesses, so that two databases can be
 * compared without fetching either's rows. Where they differ the nonces' sums do, but for one time
 * in 2^64: nonces are random.
 *
 * @param count how many there are
 * @param serials their sum
 * @param nonces their sum
 */
public record Digest(long count, BigDecimal serials, BigDecimal nonces) {
  /** Of nothing. */
  public static final Digest EMPTY = new Digest(0, BigDecimal.ZERO, BigDecimal.ZERO);
}
