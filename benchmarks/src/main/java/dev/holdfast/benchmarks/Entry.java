package dev.holdfast.benchmarks;

/**
 * A contender in one run: {@link #fill} where there is a backlog to drain, then {@link #start},
 * then {@link #commit} by many threads at once, or waiting for {@link #delivered}.
 */
interface Entry extends AutoCloseable {
  /** Records messages numbered from 0, with nobody delivering them. */
  void fill(int messages);

  /** Makes it ready, and returns when its relay is running, if it is to run. */
  void start(boolean relay);

  /** One transaction: an order, and the message of that number. */
  void commit(long number);

  /** How many messages Kafka has acknowledged since {@link #start}. */
  long delivered();

  /**
   * Whether its relay has begun to read, after {@link #start}. Where nobody can tell it is taken to
   * have begun when the first messages are acknowledged, to its advantage.
   */
  default boolean isReading() {
    return delivered() > 0;
  }

  /** Stops what runs and drops its tables. */
  @Override
  void close();
}
