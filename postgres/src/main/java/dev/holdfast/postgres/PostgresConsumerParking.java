package dev.holdfast.postgres;

import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.OffsetStore.Partition;
import java.sql.Array;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Few rows, and none is updated that carries a payload. */
final class PostgresConsumerParking implements ConsumerParking {
  private final Database database;

  PostgresConsumerParking(Database database) {
    this.database = database;
  }

  @Override
  public Set<String> lanes(String consumer, Partition partition) {
    return new HashSet<>(lanes(consumer, partition, ""));
  }

  @Override
  public List<String> releasing(String consumer, Partition partition) {
    return lanes(consumer, partition, " and releasing order by parked_at");
  }

  private List<String> lanes(String consumer, Partition partition, String further) {
    return database.transact(
        "read what is held back of " + partition,
        connection ->
            database.many(
                connection,
                "select lane from ${schema}.log_lane where consumer = ? and topic_id = ? and partition_no = ?"
                    + further,
                row -> row.getString(1),
                consumer,
                partition.topicId(),
                partition.number()));
  }

  @Override
  public List<Lane> all(String consumer, int limit) {
    return database.transact(
        "read what is held back",
        connection ->
            database.many(
                connection,
                """
                select l.topic, l.topic_id, l.partition_no, l.lane, l.reason, l.releasing,
                       (select count(*) from ${schema}.log_parked p
                        where p.consumer = l.consumer and p.topic_id = l.topic_id
                          and p.partition_no = l.partition_no and p.lane = l.lane),
                       (select min(p.record_offset) from ${schema}.log_parked p
                        where p.consumer = l.consumer and p.topic_id = l.topic_id
                          and p.partition_no = l.partition_no and p.lane = l.lane)
                from ${schema}.log_lane l where l.consumer = ? order by l.parked_at limit ?
                """,
                row ->
                    new Lane(
                        new Partition(
                            row.getString(1), row.getObject(2, UUID.class), row.getInt(3)),
                        row.getString(4),
                        row.getString(5),
                        row.getBoolean(6),
                        row.getLong(7),
                        row.getObject(8, Long.class)),
                consumer,
                limit));
  }

  @Override
  public long count(String consumer, long limit) {
    return database.transact(
        "count what is held back", connection -> count(connection, consumer, limit));
  }

  private long count(Connection connection, String consumer, long limit) throws SQLException {
    return database
        .one(
            connection,
            "select count(*) from (select 1 from ${schema}.log_parked where consumer = ? limit ?) p",
            row -> row.getLong(1),
            consumer,
            limit)
        .orElseThrow();
  }

  @Override
  public void park(
      Connection connection, String consumer, List<Parked> records, Map<String, String> reasons)
      throws SQLException {
    for (Parked record : records) {
      String reason = reasons.get(record.lane());
      if (reason != null) {
        database.update(
            connection,
            "insert into ${schema}.log_lane (consumer, topic, topic_id, partition_no, lane, reason) values (?, ?, ?, ?, ?, ?) on conflict do nothing",
            consumer,
            record.partition().topic(),
            record.partition().topicId(),
            record.partition().number(),
            record.lane(),
            reason);
      }
      // A seek back may bring what is held back already.
      database.update(
          connection,
          """
          insert into ${schema}.log_parked (consumer, topic_id, partition_no, record_offset, lane,
            leader_epoch, created_ms, key, value, header_names, header_values)
          values (?, ?, ?, ?, ?, ?::integer, ?, ?::bytea, ?::bytea, ?, ?) on conflict do nothing
          """,
          consumer,
          record.partition().topicId(),
          record.partition().number(),
          record.offset(),
          record.lane(),
          record.leaderEpoch(),
          record.createdMs(),
          record.key(),
          record.value(),
          connection.createArrayOf(
              "text", record.headers().stream().map(Header::name).toArray(String[]::new)),
          connection.createArrayOf(
              "bytea", record.headers().stream().map(Header::value).toArray(byte[][]::new)));
    }
  }

  @Override
  public boolean release(String consumer, String topic, int partition, String lane, String actor) {
    return database.transact(
        "release the lane " + lane,
        connection -> {
          int rows =
              database.update(
                  connection,
                  """
                  update ${schema}.log_lane set releasing = true
                  where consumer = ? and topic = ? and partition_no = ? and lane = ?
                    and topic_id = (select t.topic_id from ${schema}.log_topic t
                      where t.consumer = log_lane.consumer and t.topic = log_lane.topic)
                  """,
                  consumer,
                  topic,
                  partition,
                  lane);
          if (rows > 0) {
            audit(connection, actor, "RELEASE", consumer, topic, partition, lane, null);
          }
          return rows > 0;
        });
  }

  @Override
  public boolean skip(String consumer, String topic, int partition, long offset, String actor) {
    return database.transact(
        "skip a record",
        connection -> {
          List<String> lanes =
              database.many(
                  connection,
                  """
                  delete from ${schema}.log_parked p using ${schema}.log_lane l
                  where p.consumer = ? and l.topic = ? and p.partition_no = ?
                    and p.record_offset = ? and l.consumer = p.consumer
                    and l.topic_id = p.topic_id and l.partition_no = p.partition_no
                    and l.lane = p.lane
                    and p.topic_id = (
                      select x.topic_id from ${schema}.log_parked x
                      join ${schema}.log_lane y on y.consumer = x.consumer and y.topic_id = x.topic_id
                        and y.partition_no = x.partition_no and y.lane = x.lane and y.topic = l.topic
                      left join ${schema}.log_topic t on t.consumer = x.consumer and t.topic = y.topic
                        and t.topic_id = x.topic_id
                      where x.consumer = p.consumer and x.partition_no = p.partition_no
                        and x.record_offset = p.record_offset
                      order by t.topic_id is null limit 1)
                  returning p.lane
                  """,
                  row -> row.getString(1),
                  consumer,
                  topic,
                  partition,
                  offset);
          for (String lane : lanes) {
            audit(connection, actor, "SKIP", consumer, topic, partition, lane, offset);
          }
          return !lanes.isEmpty();
        });
  }

  private void audit(
      Connection connection,
      String actor,
      String action,
      String consumer,
      String topic,
      int partition,
      String lane,
      @Nullable Long offset)
      throws SQLException {
    database.update(
        connection,
        "insert into ${schema}.audit (actor, action, lane, position, detail) values (?, ?, ?, ?::bigint, ?)",
        actor,
        action,
        lane,
        offset,
        "consumer %s, %s-%d".formatted(consumer, topic, partition));
  }

  @Override
  public List<Parked> first(String consumer, Partition partition, String lane, int limit) {
    return database.transact(
        "read the lane " + lane,
        connection ->
            database.many(
                connection,
                """
                select record_offset, leader_epoch, created_ms, key, value, header_names,
                       header_values
                from ${schema}.log_parked
                where consumer = ? and topic_id = ? and partition_no = ? and lane = ?
                order by record_offset limit ?
                """,
                row -> parked(row, partition, lane),
                consumer,
                partition.topicId(),
                partition.number(),
                lane,
                limit));
  }

  private static Parked parked(ResultSet row, Partition partition, String lane)
      throws SQLException {
    return new Parked(
        partition,
        row.getLong(1),
        lane,
        row.getObject(2, Integer.class),
        row.getLong(3),
        row.getBytes(4),
        row.getBytes(5),
        headers(row.getArray(6), row.getArray(7)));
  }

  private static List<Header> headers(Array names, Array values) throws SQLException {
    String[] name = (String[]) names.getArray();
    byte[][] value = (byte[][]) values.getArray();
    List<Header> headers = new ArrayList<>(name.length);
    for (int i = 0; i < name.length; i++) {
      headers.add(new Header(name[i], value[i]));
    }
    return headers;
  }

  @Override
  public boolean remove(Connection connection, String consumer, Partition partition, long offset)
      throws SQLException {
    return database.update(
            connection,
            "delete from ${schema}.log_parked where consumer = ? and topic_id = ? and partition_no = ? and record_offset = ?",
            consumer,
            partition.topicId(),
            partition.number(),
            offset)
        > 0;
  }

  @Override
  public void keep(String consumer, Partition partition, String lane, long offset, String reason) {
    database.write(
        "keep the lane " + lane,
        connection -> {
          lock(connection, consumer, partition, lane, true);
          database.update(
              connection,
              """
              update ${schema}.log_lane set releasing = false, reason = ?
              where consumer = ? and topic_id = ? and partition_no = ? and lane = ?
                and exists (select from ${schema}.log_parked p
                  where p.consumer = log_lane.consumer and p.topic_id = log_lane.topic_id
                    and p.partition_no = log_lane.partition_no and p.record_offset = ?)
              """,
              reason,
              consumer,
              partition.topicId(),
              partition.number(),
              lane,
              offset);
        });
  }

  @Override
  public boolean end(Connection connection, String consumer, Partition partition, String lane)
      throws SQLException {
    return database.update(
            connection,
            """
            delete from ${schema}.log_lane l
            where l.consumer = ? and l.topic_id = ? and l.partition_no = ? and l.lane = ?
              and not exists (select from ${schema}.log_parked p
                where p.consumer = l.consumer and p.topic_id = l.topic_id
                  and p.partition_no = l.partition_no and p.lane = l.lane)
            """,
            consumer,
            partition.topicId(),
            partition.number(),
            lane)
        > 0;
  }

  @Override
  public boolean lock(
      Connection connection, String consumer, Partition partition, String lane, boolean alone)
      throws SQLException {
    // Another lane of the same hash waits for no reason, which is all that comes of it.
    database.one(
        connection,
        "select 1 from pg_advisory_xact_lock%s(1213156425, hashtext(?))"
            .formatted(alone ? "" : "_shared"),
        row -> 1,
        consumer + '\n' + partition.topicId() + '\n' + lane);
    // Apart from the lock, since a statement sees what was there when it began to wait.
    return database
        .one(
            connection,
            "select 1 from ${schema}.log_lane where consumer = ? and topic_id = ? and partition_no = ? and lane = ?",
            row -> 1,
            consumer,
            partition.topicId(),
            partition.number(),
            lane)
        .isPresent();
  }

  @Override
  public Held hold(String consumer, Parked message, @Nullable String reason, long most) {
    Partition partition = message.partition();
    return database.transact(
        "park a message of " + partition,
        connection -> {
          boolean held = lock(connection, consumer, partition, message.lane(), true);
          if (!held && reason == null) {
            return Held.FREE;
          }
          if (held && holds(connection, consumer, message)) {
            return Held.BEFORE;
          }
          long offset = draw(connection, consumer, partition);
          if (count(connection, consumer, most) >= most) {
            return Held.FULL;
          }
          Map<String, String> reasons =
              held ? Map.of() : Map.of(message.lane(), Objects.requireNonNull(reason));
          park(connection, consumer, List.of(message.at(offset)), reasons);
          return Held.NOW;
        });
  }

  private boolean holds(Connection connection, String consumer, Parked message)
      throws SQLException {
    return database
        .one(
            connection,
            "select 1 from ${schema}.log_parked where consumer = ? and topic_id = ? and partition_no = ? and lane = ? and key = ? limit 1",
            row -> 1,
            consumer,
            message.partition().topicId(),
            message.partition().number(),
            message.lane(),
            message.key())
        .isPresent();
  }

  /** Locks the row until the commit, so that what is drawn later is committed later. */
  private long draw(Connection connection, String consumer, Partition partition)
      throws SQLException {
    return database
        .one(
            connection,
            """
            update ${schema}.log_offset
            set next_offset = next_offset + 1, moved_at = clock_timestamp()
            where consumer = ? and topic = ? and partition_no = ?
            returning next_offset - 1
            """,
            row -> row.getLong(1),
            consumer,
            partition.topic(),
            partition.number())
        .orElseThrow(() -> new IllegalStateException(consumer + " has not begun the " + partition));
  }

  @Override
  public boolean take(
      Connection connection, String consumer, Partition partition, String lane, long offset)
      throws SQLException {
    return database.update(
            connection,
            """
            delete from ${schema}.log_parked p using ${schema}.log_lane l
            where p.consumer = ? and p.topic_id = ? and p.partition_no = ? and p.lane = ?
              and p.record_offset = ? and l.consumer = p.consumer and l.topic_id = p.topic_id
              and l.partition_no = p.partition_no and l.lane = p.lane and l.releasing
              and not exists (select from ${schema}.log_parked e
                where e.consumer = p.consumer and e.topic_id = p.topic_id
                  and e.partition_no = p.partition_no and e.lane = p.lane
                  and e.record_offset < p.record_offset)
            """,
            consumer,
            partition.topicId(),
            partition.number(),
            lane,
            offset)
        > 0;
  }

  @Override
  public boolean settle(String consumer, Partition partition, String lane, @Nullable Long known) {
    return database.transact(
        "end the lane " + lane,
        connection -> {
          lock(connection, consumer, partition, lane, true);
          if (known != null) {
            take(connection, consumer, partition, lane, known);
          }
          return end(connection, consumer, partition, lane);
        });
  }
}
