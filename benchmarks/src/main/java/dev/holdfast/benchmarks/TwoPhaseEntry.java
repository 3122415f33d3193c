package dev.holdfast.benchmarks;

/** A contender in one run: {@link #commit} by many threads at once, then {@link #settle}. */
interface TwoPhaseEntry extends AutoCloseable {
  /** One transaction: the row of that number in both databases. */
  void commit(long number) throws Exception;

  /**
   * Returns when everything that was committed is so in both databases. The clock runs until then,
   * so that nobody gains by leaving work behind.
   */
  void settle() throws Exception;

  /** Closes every connection. */
  @Override
  void close() throws Exception;
}
