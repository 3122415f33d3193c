package dev.holdfast.reconcile;

/**
 * What a range of rows amounts to. Summed and not XORed: where one side has a row twice and the
 * other has another twice, both pairs would cancel out.
 *
 * @param count how many rows
 * @param sum of their {@linkplain Hashes#fingerprint fingerprints}, modulo 2<sup>64</sup>
 */
public record Summary(long count, long sum) {
  public static final Summary NONE = new Summary(0, 0);

  /** With one row more. */
  public Summary with(long fingerprint) {
    return new Summary(count + 1, sum + fingerprint);
  }

  /** Of both together. */
  public Summary and(Summary other) {
    return new Summary(count + other.count, sum + other.sum);
  }
}
