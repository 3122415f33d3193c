package dev.holdfast.cli.demo;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What has come of the orders at the other end, whatever that is. */
interface Arrivals extends AutoCloseable {
  /** How many have come so far, repetitions included. */
  int seen();

  /**
   * Whether nothing more is due, now that everything was sent. A strategy that loses what it was
   * sent does not wait for it.
   *
   * @param orders how many orders there are
   */
  boolean isComplete(int orders);

  /** The order ids, repetitions included; those of one customer in the order in which they came. */
  List<String> orderIds() throws SQLException;

  /** When each order came for the first time, in microseconds since 1970. */
  Map<String, Long> firstSeenMicros() throws SQLException;

  /**
   * What became of charges and stock.
   *
   * @param orders the order service's database
   * @return empty when orders are not checked out
   */
  Optional<CheckoutVerdict> checkouts(Connection orders) throws SQLException;

  /**
   * What is found by searching.
   *
   * @param orders the order service's database
   * @return empty when there is no index
   */
  Optional<IndexVerdict> index(Connection orders) throws SQLException;

  @Override
  void close();
}
