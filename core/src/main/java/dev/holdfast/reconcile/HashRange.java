package dev.holdfast.reconcile;

import java.util.ArrayList;
import java.util.List;

/**
 * A half-open range of {@linkplain Hashes#point points}.
 *
 * @param from the first point in it
 * @param to the first point behind it
 */
public record HashRange(long from, long to) {
  /**
   * Every point: 48 bits, so that engines that reckon in doubles have them exactly, and eight cuts
   * into 64 reach one.
   */
  public static final HashRange ALL = new HashRange(0, 1L << 48);

  public HashRange {
    if (from < 0 || to <= from || to > 1L << 48) {
      throw new IllegalArgumentException("no range of points: %d to %d".formatted(from, to));
    }
  }

  /** How many points are in it. */
  public long width() {
    return to - from;
  }

  /** Whether the point is in it. */
  public boolean contains(long point) {
    return point >= from && point < to;
  }

  /**
   * Cuts it into parts of one width, in order.
   *
   * @param parts divides the width
   */
  public List<HashRange> split(int parts) {
    if (parts < 1 || width() % parts != 0) {
      throw new IllegalArgumentException("%s does not divide into %d".formatted(this, parts));
    }
    long each = width() / parts;
    List<HashRange> result = new ArrayList<>(parts);
    for (int i = 0; i < parts; i++) {
      result.add(new HashRange(from + i * each, from + (i + 1) * each));
    }
    return result;
  }
}
