package dev.holdfast.kafka.inbox;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RetriableException;

/**
 * How far the broker's logs go. A partition without a leader does not answer, and holds up no
 * other; a consumer that is asked the same would wait for all of them.
 */
final class LogOffsets {
  private final Admin admin;

  LogOffsets(Admin admin) {
    this.admin = admin;
  }

  /** A question that was asked, and may be answered in part. */
  static final class Question {
    private final Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> answers;

    private Question(Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> answers) {
      this.answers = answers;
    }

    static Question none() {
      return new Question(Map.of());
    }

    /** Of those that have answered so far; nobody hears of the others. */
    Map<TopicPartition, Long> answered() {
      Map<TopicPartition, Long> offsets = new HashMap<>();
      answers.forEach(
          (partition, answer) -> {
            if (answer.isDone() && !answer.isCompletedExceptionally()) {
              offsets.put(
                  partition, answer.toCompletionStage().toCompletableFuture().join().offset());
            }
          });
      return offsets;
    }

    /**
     * Waits for the answers, and does without those that do not come.
     *
     * @throws KafkaException when the broker refuses to answer
     */
    Map<TopicPartition, Long> within(Duration atMost) {
      long since = Doorbell.nanos();
      Map<TopicPartition, Long> offsets = new HashMap<>();
      answers.forEach(
          (partition, answer) -> {
            long left = Math.max(0, atMost.minus(Doorbell.since(since)).toNanos());
            try {
              ListOffsetsResultInfo info = answer.get(left, TimeUnit.NANOSECONDS);
              offsets.put(partition, info.offset());
            } catch (ExecutionException e) {
              if (!(e.getCause() instanceof RetriableException)) {
                throw e.getCause() instanceof KafkaException kafka
                    ? kafka
                    : new KafkaException(e.getCause());
              }
            } catch (java.util.concurrent.TimeoutException e) {
              // It is not among the answers.
            } catch (InterruptedException e) {
              throw new InterruptException(e);
            }
          });
      return offsets;
    }
  }

  /**
   * Asks, of what readers of committed records see.
   *
   * @param atMost after which nobody waits for an answer any more
   */
  Question ask(Collection<TopicPartition> partitions, OffsetSpec which, Duration atMost) {
    Map<TopicPartition, OffsetSpec> specs = new HashMap<>();
    partitions.forEach(partition -> specs.put(partition, which));
    ListOffsetsResult result =
        admin.listOffsets(
            specs,
            new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)
                .timeoutMs(Math.toIntExact(atMost.toMillis())));
    Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> answers = new HashMap<>();
    partitions.forEach(partition -> answers.put(partition, result.partitionResult(partition)));
    return new Question(answers);
  }

  /**
   * The offsets of the first records of this time or later, of those that answer.
   *
   * @param time {@link Instant#MIN} for all that there is, {@link Instant#MAX} for what comes now
   */
  Map<TopicPartition, Long> starts(
      Collection<TopicPartition> partitions, Instant time, Duration atMost) {
    if (time.equals(Instant.MIN)) {
      return ask(partitions, OffsetSpec.earliest(), atMost).within(atMost);
    }
    Question ends = ask(partitions, OffsetSpec.latest(), atMost);
    if (time.equals(Instant.MAX)) {
      return ends.within(atMost);
    }
    Question found = ask(partitions, OffsetSpec.forTimestamp(time.toEpochMilli()), atMost);
    Map<TopicPartition, Long> starts = ends.within(atMost);
    Map<TopicPartition, Long> ofTime = found.within(atMost);
    Set<TopicPartition> silent = new HashSet<>(starts.keySet());
    silent.removeAll(ofTime.keySet());
    starts.keySet().removeAll(silent);
    // Without such a record the answer is no offset.
    ofTime.forEach(
        (partition, offset) ->
            starts.computeIfPresent(partition, (p, end) -> offset < 0 ? end : offset));
    return starts;
  }
}
