package dev.holdfast.kafka.inbox;

import dev.holdfast.inbox.store.OffsetStore.Partition;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** What one member knows of a partition that it reads. Used by its thread alone. */
final class Reading {
  final TopicPartition at;
  final Partition partition;

  /** Keys that are parked; others' changes are not missed, since only the reader parks. */
  final Set<String> lanes;

  final @Nullable String stopped;
  long next;
  @Nullable Integer leaderEpoch;

  Reading(
      Partition partition,
      long next,
      @Nullable Integer leaderEpoch,
      Set<String> lanes,
      @Nullable String stopped) {
    this.at = new TopicPartition(partition.topic(), partition.number());
    this.partition = partition;
    this.next = next;
    this.leaderEpoch = leaderEpoch;
    this.lanes = lanes;
    this.stopped = stopped;
  }
}
