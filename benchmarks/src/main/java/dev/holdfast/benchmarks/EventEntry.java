package dev.holdfast.benchmarks;

/** A log in one run. */
interface EventEntry extends AutoCloseable {
  /** Appends the events of that number; by as many threads at once as there are. */
  void append(long number) throws Exception;

  /**
   * Reads all events, or makes rows of them.
   *
   * @return how many there were
   */
  long all(long events) throws Exception;

  @Override
  void close() throws Exception;
}
