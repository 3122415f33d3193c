package dev.holdfast.kafka.inbox;

import dev.holdfast.Transaction;
import java.sql.SQLException;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Handles a record inside a transaction, which is shared by the records that were polled together.
 * All its effects belong there: it may run again, after a failure of a neighbour's, a serialization
 * failure or a crash, and then nothing is left of the run before.
 */
@FunctionalInterface
public interface KafkaHandler {
  /**
   * @param tx with the operation id that the record carries, or a new one
   * @throws dev.holdfast.inbox.TryAgainLater when nothing is wrong with the record; any other
   *     exception counts as an attempt, and after the last one the record is parked with the later
   *     ones of its key
   */
  void handle(Transaction tx, ConsumerRecord<byte[], byte[]> message) throws SQLException;
}
