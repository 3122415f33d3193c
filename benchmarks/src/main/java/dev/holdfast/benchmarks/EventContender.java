package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;

/** A log of events, or what is measured instead of one. */
interface EventContender extends CountedContender<EventScenario> {
  /** Whether there is anything to be measured of it. */
  boolean takesPart(EventScenario scenario);

  /** Makes its tables, in a database that has none, and fills them with so many events. */
  void prepare(CountedServer server, long events) throws Exception;

  /**
   * @param pool with a connection for each thread
   */
  EventEntry enter(HikariDataSource pool, EventScenario scenario) throws Exception;

  /** How many events there are. */
  long stored(CountedServer server);
}
