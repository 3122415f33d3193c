package dev.holdfast.kafka;

import org.junit.jupiter.api.Tag;

/**
 * All that holds of a handler of single records holds of one that takes what was polled at once.
 */
@Tag("long")
final class KafkaInboxBatchedTest extends KafkaInboxTest {
  @Override
  boolean isBatched() {
    return true;
  }

  /**
   * No test here: records of several operations are one call, as {@link KafkaBatchInboxTest} shows.
   */
  @Override
  void whatItPublishesIsOfTheOperationThatTheRecordCarries() {}
}
