package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Patient.seconds;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.inbox.store.OffsetStore.Partition;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Those who receive: consumers that keep offsets or park messages here, and the inbox. */
final class ConsumerChecks {
  static final List<Check> ALL =
      List.of(
          new Check("consumer", ConsumerChecks::consumers),
          new Check("inbox", ConsumerChecks::inbox));

  private static final int PARTITIONS_TOLD = 1_000;

  private ConsumerChecks() {}

  private record Consumer(
      String name,
      boolean paused,
      String reason,
      int partitions,
      int queues,
      double unmoved,
      long lanes,
      long records,
      double parkedFor) {}

  /** What is parked is bounded by the consumer's maxParked, and counted by its keys' index. */
  private static final String CONSUMERS =
      """
      select c.name, c.state = 'PAUSED' as paused, coalesce(c.reason, '') as reason,
             o.partitions, q.queues, o.unmoved, l.lanes, l.parked_for,
             (select count(*) from ${schema}.log_parked p where p.consumer = c.name) as records
      from ${schema}.log_consumer c
      cross join lateral (
        select count(*)::integer as partitions,
               coalesce(extract(epoch from ${schema}.now() - max(o.moved_at)), 0)::float8 as unmoved
        from ${schema}.log_offset o
        join ${schema}.log_topic t on t.consumer = o.consumer and t.topic = o.topic
        where o.consumer = c.name and substr(t.topic_id::text, 15, 1) <> '3') o
      cross join lateral (
        select count(*)::integer as queues from ${schema}.log_topic t
        where t.consumer = c.name and substr(t.topic_id::text, 15, 1) = '3') q
      cross join lateral (
        select count(*) as lanes,
               coalesce(extract(epoch from ${schema}.now() - min(l.parked_at)), 0)::float8
                 as parked_for
        from ${schema}.log_lane l where l.consumer = c.name) l
      order by c.name
      """;

  private static final String STOPPED =
      """
      select o.consumer, o.topic, o.partition_no, o.next_offset, o.stopped,
             extract(epoch from ${schema}.now() - o.moved_at)::float8 as unmoved
      from ${schema}.log_offset o where o.stopped is not null
      order by o.consumer, o.topic, o.partition_no limit ?
      """;

  private static List<Finding> consumers(Patient patient) throws SQLException {
    List<Consumer> consumers =
        patient.many(
            CONSUMERS,
            row ->
                new Consumer(
                    row.getString("name"),
                    row.getBoolean("paused"),
                    row.getString("reason"),
                    row.getInt("partitions"),
                    row.getInt("queues"),
                    row.getDouble("unmoved"),
                    row.getLong("lanes"),
                    row.getLong("records"),
                    row.getDouble("parked_for")));
    if (consumers.isEmpty()) {
      return List.of(
          Finding.ok("consumer.state", "No consumer keeps its offsets here, or parks messages."));
    }
    List<Finding> stopped = patient.many(STOPPED, ConsumerChecks::stopped, PARTITIONS_TOLD);
    List<Finding> result = new ArrayList<>();
    for (Consumer consumer : consumers) {
      result.add(state(consumer));
      result.add(parked(patient, consumer));
    }
    result.addAll(
        stopped.isEmpty()
            ? List.of(Finding.ok("consumer.stopped", "No partition is stopped."))
            : stopped);
    return result;
  }

  private static Finding state(Consumer consumer) {
    Map<String, Object> evidence = new LinkedHashMap<>();
    evidence.put("partitions", consumer.partitions());
    evidence.put("queues", consumer.queues());
    evidence.put("unmoved_seconds", Math.round(consumer.unmoved()));
    if (!consumer.paused()) {
      return Finding.ok(
          "consumer.state",
          consumer.name(),
          "The consumer is to run, %s."
              .formatted(consumer.partitions() == 0 ? onQueues(consumer) : inPartitions(consumer)),
          evidence);
    }
    evidence.put("reason", consumer.reason());
    return Finding.of(
        Severity.WARN,
        "consumer.state",
        consumer.name(),
        "The consumer is paused: %s.%s"
            .formatted(
                consumer.reason(),
                consumer.partitions() == 0
                    ? ""
                    : " It has moved no offset for " + seconds(consumer.unmoved()) + "."),
        consumer.partitions() == 0
            ? "Its messages wait in their queues."
            : "Its records wait at Kafka, for as long as Kafka's retention.",
        "holdfast consumer resume " + shell(consumer.name()),
        evidence);
  }

  private static String onQueues(Consumer consumer) {
    return "on %d queue(s) whose messages it parks here".formatted(consumer.queues());
  }

  private static String inPartitions(Consumer consumer) {
    return "in %d partition(s), the last of which it went on in %s ago%s"
        .formatted(
            consumer.partitions(),
            seconds(consumer.unmoved()),
            consumer.queues() == 0 ? "" : ", and " + onQueues(consumer));
  }

  private static Finding stopped(java.sql.ResultSet row) throws SQLException {
    String consumer = row.getString("consumer");
    String topic = row.getString("topic");
    int partition = row.getInt("partition_no");
    String reason = row.getString("stopped");
    return Finding.of(
        Severity.FAIL,
        "consumer.stopped",
        "%s: %s-%d".formatted(consumer, topic, partition),
        "The partition is stopped at offset %d: %s"
            .formatted(row.getLong("next_offset"), withoutCommand(reason)),
        "Nothing of it is handled until somebody has decided; its records wait at Kafka, for as long as Kafka's retention. Other partitions go on.",
        reason.contains("holdfast consumer seek")
            ? "holdfast consumer seek %s --topic %s --kafka HOST:PORT --to-earliest (or --to-latest, --to-time INSTANT)"
                .formatted(shell(consumer), shell(topic))
            : "holdfast consumer continue %s --topic %s --partition %d%s"
                .formatted(
                    shell(consumer),
                    shell(topic),
                    partition,
                    reason.contains("--offset N") ? " --offset N" : ""),
        Map.of(
            "topic", topic,
            "partition", partition,
            "next_offset", row.getLong("next_offset"),
            "reason", reason,
            "unmoved_seconds", Math.round(row.getDouble("unmoved"))));
  }

  /** The reason ends with what to type, which the finding says by itself. */
  private static String withoutCommand(String reason) {
    int command = reason.indexOf("holdfast consumer ");
    if (command < 0) {
      return reason;
    }
    String before = reason.substring(0, command).strip();
    return before.replaceAll("(, and let it go on|[^.:]*)?:$", "").strip();
  }

  private record Lane(Partition partition, String name, String reason) {}

  private static Finding parked(Patient patient, Consumer consumer) throws SQLException {
    if (consumer.lanes() == 0) {
      return Finding.ok("consumer.parked", consumer.name(), "Nothing is parked.", Map.of());
    }
    Lane oldest =
        patient.one(
            """
            select topic, topic_id, partition_no, lane, reason from ${schema}.log_lane
            where consumer = ? order by parked_at, lane limit 1
            """,
            row ->
                new Lane(
                    new Partition(row.getString(1), row.getObject(2, UUID.class), row.getInt(3)),
                    row.getString(4),
                    row.getString(5)),
            consumer.name());
    return Finding.of(
        Severity.WARN,
        "consumer.parked",
        consumer.name(),
        "%d key(s) are parked with %d record(s), the oldest for %s: %s of %s: %s."
            .formatted(
                consumer.lanes(),
                consumer.records(),
                seconds(consumer.parkedFor()),
                oldest.name(),
                oldest.partition(),
                oldest.reason()),
        "The later records of these keys wait behind them; all others are handled.",
        "holdfast consumer list %1$s; then remove the cause and: holdfast consumer release %1$s --topic %2$s --partition %3$d --lane %4$s"
            .formatted(
                shell(consumer.name()),
                shell(oldest.partition().topic()),
                oldest.partition().number(),
                shell(oldest.name())),
        Map.of(
            "keys", consumer.lanes(),
            "records", consumer.records(),
            "oldest_seconds", Math.round(consumer.parkedFor()),
            "oldest_lane", oldest.name()));
  }

  private record Size(long bytes, long ids, int consumers, @Nullable Long longest) {}

  /** Its ring's turning is looked at in storage.upkeep. */
  private static List<Finding> inbox(Patient patient) throws SQLException {
    Size size =
        patient.one(
            """
            select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint,
                   coalesce(sum(greatest(c.reltuples, 0)) filter (
                     where c.relname in ('inbox_0', 'inbox_1', 'inbox_2')), 0)::bigint,
                   (select count(*)::integer from ${schema}.inbox_consumer),
                   (select max(retention_ms) from ${schema}.inbox_consumer)
            from pg_class c
            where c.relnamespace = '${schema}'::regnamespace
              and c.relname in ('inbox_0', 'inbox_1', 'inbox_2',
                                'inbox_reply_0', 'inbox_reply_1', 'inbox_reply_2')
            """,
            row ->
                new Size(
                    row.getLong(1), row.getLong(2), row.getInt(3), row.getObject(4, Long.class)));
    Map<String, Object> evidence = new LinkedHashMap<>();
    evidence.put("bytes", size.bytes());
    evidence.put("ids_estimated", size.ids());
    evidence.put("consumers", size.consumers());
    if (size.longest() == null) {
      return List.of(Finding.ok("inbox.size", "", "No inbox is used.", evidence));
    }
    evidence.put("retention_ms", size.longest());
    return List.of(
        Finding.ok(
            "inbox.size",
            "",
            "The inbox takes %d MB for about %d id(s) of %d consumer(s), which are remembered for %s at least and twice as long at most."
                .formatted(
                    size.bytes() >> 20,
                    size.ids(),
                    size.consumers(),
                    seconds(size.longest() / 1000.0)),
            evidence));
  }

  /** As a shell takes it for one word. */
  static String shell(String word) {
    return word.matches("[A-Za-z0-9_./:@%+=,-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
