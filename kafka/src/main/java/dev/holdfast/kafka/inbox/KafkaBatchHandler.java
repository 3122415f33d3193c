package dev.holdfast.kafka.inbox;

import dev.holdfast.Transaction;
import java.sql.SQLException;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Handles records that were polled together at once, as one statement for many rows does. All its
 * effects belong in the transaction, which moves the offsets behind these records: it may run
 * again, with all of them or some, after a failure, a serialization failure or a crash, and then
 * nothing is left of the run before.
 */
@FunctionalInterface
public interface KafkaBatchHandler {
  /**
   * @param tx with the operation id that all of the records carry, if it is the same one, or else a
   *     new one
   * @param messages of one poll, at least one, those of a partition in its order; without those
   *     whose key is parked and, where ids are asked for, those that were received before.
   *     Unmodifiable
   * @throws dev.holdfast.inbox.TryAgainLater when nothing is wrong with the records; after this and
   *     after any other exception the halves are handled by themselves, and so on until one record
   *     stands alone, of which it is told as of {@link KafkaHandler}
   */
  void handle(Transaction tx, List<ConsumerRecord<byte[], byte[]>> messages) throws SQLException;
}
