package dev.holdfast.kafka;

import dev.holdfast.outbox.Delivery;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/** Tells Kafka's errors apart: is it the message, another leader, or the world? */
final class Failures {
  private Failures() {}

  /** Why a message is refused for what it is, or {@code null} when the error says nothing of it. */
  static @Nullable String refusal(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof RecordTooLargeException
          || e instanceof RecordBatchTooLargeException
          || e instanceof SerializationException
          || e instanceof InvalidRecordException
          || e instanceof InvalidTimestampException
          || e instanceof InvalidTopicException
          || e instanceof UnknownTopicOrPartitionException
          || e instanceof TopicAuthorizationException) {
        return String.valueOf(e.getMessage());
      }
    }
    return null;
  }

  /** Fenced, or unavailable with the outcome open; either way the session is over. */
  static Delivery sessionOver(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof ProducerFencedException || e instanceof InvalidProducerEpochException) {
        return new Delivery.Fenced();
      }
    }
    return new Delivery.Unavailable("Kafka did not acknowledge: " + error.getMessage());
  }
}
