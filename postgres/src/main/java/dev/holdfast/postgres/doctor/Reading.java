package dev.holdfast.postgres.doctor;

import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Where a consumer is in one partition, by the database, for those who examine the log. Queues are
 * none of it.
 *
 * @param consumer its name
 * @param topicId which topic of that name it reads
 * @param next the offset of the record that is handled next
 * @param unmoved for how long the offset has stayed where it is
 * @param reads whether it is to go on: the consumer is not paused, the partition not stopped
 * @param idsKept for how long the consumer remembers the ids of messages; {@code null} when it goes
 *     by offsets alone
 */
public record Reading(
    String consumer,
    String topic,
    UUID topicId,
    int partition,
    long next,
    Duration unmoved,
    boolean reads,
    @Nullable Duration idsKept) {

  static final int MOST = 10_000;

  static final String ALL =
      """
      select o.consumer, o.topic, t.topic_id, o.partition_no, o.next_offset,
             (extract(epoch from ${schema}.now() - o.moved_at) * 1000)::bigint as unmoved_ms,
             c.state = 'RUNNING' and o.stopped is null as reads,
             (select max(i.retention_ms) from ${schema}.inbox_consumer i
              where exists (select from ${schema}.inbox_consumer mine
                            where mine.name = o.consumer)) as ids_kept_ms
      from ${schema}.log_offset o
      join ${schema}.log_topic t on t.consumer = o.consumer and t.topic = o.topic
      join ${schema}.log_consumer c on c.name = o.consumer
      where substr(t.topic_id::text, 15, 1) <> '3'
      order by o.consumer, o.topic, o.partition_no limit ?
      """;
}
