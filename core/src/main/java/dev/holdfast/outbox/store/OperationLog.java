package dev.holdfast.outbox.store;

import java.util.List;

/** What operations did at every boundary, for people. Thread-safe. */
public interface OperationLog {

  /**
   * The events of an operation, commits first, then message by message. Reads in a transaction of
   * its own and scans the outbox, which takes a part of a second for each million messages in it;
   * it is meant for people, not for programs that ask often.
   *
   * <p>Deliveries are told by the database's copy of each channel's progress, which trails the
   * target by about a second: what is told as delivered is delivered, what was delivered in that
   * second is told as waiting. What the outbox has forgotten, once it was delivered and its
   * retention was over, is not told any more.
   *
   * @param limit the most events, from 1
   * @return empty when nothing is known of the operation, or nothing any more
   */
  List<OperationEvent> of(String operationId, int limit);
}
