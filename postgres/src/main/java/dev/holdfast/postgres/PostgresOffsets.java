package dev.holdfast.postgres;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.store.OffsetStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** One row for each partition; whoever moves it holds its lock until its effects are committed. */
final class PostgresOffsets implements OffsetStore {
  private static final String POSITIONS =
      """
      select o.topic, t.topic_id, o.partition_no, o.next_offset, o.leader_epoch, o.stopped
      from ${schema}.log_offset o
      join ${schema}.log_topic t on t.consumer = o.consumer and t.topic = o.topic
      where o.consumer = ? order by o.topic, o.partition_no
      """;

  /** Whether a topic is a queue, by its id: see {@code Partition.isQueue}. */
  static final String QUEUE = "substr(%s::text, 15, 1) = '3'";

  private static final String MOVE = "select ${schema}.move_offsets(?, ?, ?, ?, ?, ?, ?, ?)";

  private final Database database;

  PostgresOffsets(Database database) {
    this.database = database;
  }

  @Override
  public void register(String consumer) {
    database.write(
        "register the consumer " + consumer,
        connection ->
            database.update(
                connection,
                "insert into ${schema}.log_consumer (name) values (?) on conflict do nothing",
                consumer));
  }

  @Override
  public Optional<String> pausedBecause(String consumer) {
    return database.transact(
        "look whether the consumer " + consumer + " is paused",
        connection ->
            database.one(
                connection,
                "select coalesce(reason, '') from ${schema}.log_consumer where name = ? and state = 'PAUSED'",
                row -> row.getString(1),
                consumer));
  }

  @Override
  public void pause(String consumer, @Nullable String reason) {
    database.write(
        "pause the consumer " + consumer,
        connection -> {
          int rows =
              database.update(
                  connection,
                  "update ${schema}.log_consumer set state = ?, reason = ? where name = ?",
                  reason == null ? "RUNNING" : "PAUSED",
                  reason,
                  consumer);
          if (rows == 0) {
            throw unknown(consumer);
          }
        });
  }

  private static InvalidConfiguration unknown(String consumer) {
    return new InvalidConfiguration(
        "There is no consumer "
            + consumer
            + " here. Nothing was changed. A consumer is known when it has been started once.");
  }

  @Override
  public List<String> consumers() {
    return database.transact(
        "list consumers",
        connection ->
            database.many(
                connection,
                "select name from ${schema}.log_consumer order by name",
                row -> row.getString(1)));
  }

  @Override
  public List<Position> positions(String consumer) {
    return database.transact(
        "read the positions of the consumer " + consumer,
        connection -> database.many(connection, POSITIONS, PostgresOffsets::position, consumer));
  }

  private static Position position(ResultSet row) throws SQLException {
    return new Position(
        new Partition(row.getString(1), row.getObject(2, UUID.class), row.getInt(3)),
        row.getLong(4),
        row.getObject(5, Integer.class),
        row.getString(6));
  }

  @Override
  public void begin(String consumer, String topic, UUID topicId, Map<Integer, Long> starts) {
    database.write(
        "begin to read " + topic,
        connection -> {
          // Whoever comes second waits here, and finds all partitions begun.
          boolean first =
              database.update(
                      connection,
                      "insert into ${schema}.log_topic values (?, ?, ?) on conflict do nothing",
                      consumer,
                      topic,
                      topicId)
                  > 0;
          for (Map.Entry<Integer, Long> start : starts.entrySet()) {
            database.update(
                connection,
                "insert into ${schema}.log_offset (consumer, topic, partition_no, next_offset) values (?, ?, ?, ?) on conflict do nothing",
                consumer,
                topic,
                start.getKey(),
                first ? start.getValue() : 0L);
          }
        });
  }

  @Override
  public boolean move(Connection connection, String consumer, List<Move> moves, Duration leftAlone)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(database.schema().in(MOVE))) {
      statement.setString(1, consumer);
      set(statement, 2, "text", moves, move -> move.partition().topic(), String[]::new);
      set(statement, 3, "uuid", moves, move -> move.partition().topicId(), UUID[]::new);
      set(statement, 4, "integer", moves, move -> move.partition().number(), Integer[]::new);
      set(statement, 5, "bigint", moves, Move::from, Long[]::new);
      set(statement, 6, "bigint", moves, Move::to, Long[]::new);
      set(statement, 7, "integer", moves, Move::leaderEpoch, Integer[]::new);
      statement.setInt(8, Math.toIntExact(leftAlone.toMillis()));
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getInt(1) == moves.size();
      }
    }
  }

  static <T, V> void set(
      PreparedStatement statement,
      int index,
      String type,
      List<T> all,
      Function<T, @Nullable V> part,
      IntFunction<V[]> make)
      throws SQLException {
    statement.setArray(
        index, statement.getConnection().createArrayOf(type, all.stream().map(part).toArray(make)));
  }

  @Override
  public boolean stop(String consumer, Position position, String reason) {
    Partition partition = position.partition();
    return database.transact(
        "stop reading " + partition,
        connection ->
            database.update(
                    connection,
                    """
                    update ${schema}.log_offset o set stopped = ?
                    from ${schema}.log_topic t
                    where o.consumer = ? and o.topic = ? and o.partition_no = ? and o.next_offset = ?
                      and o.stopped is null and t.consumer = o.consumer and t.topic = o.topic
                      and t.topic_id = ?
                    """,
                    reason,
                    consumer,
                    partition.topic(),
                    partition.number(),
                    position.next(),
                    partition.topicId())
                > 0);
  }

  @Override
  public void seek(String consumer, String topic, UUID topicId, Map<Integer, Long> offsets) {
    database.write(
        "set where " + consumer + " goes on in " + topic,
        connection -> {
          int known =
              database.update(
                  connection,
                  "update ${schema}.log_topic set topic_id = ? where consumer = ? and topic = ? and not "
                      + QUEUE.formatted("topic_id"),
                  topicId,
                  consumer,
                  topic);
          if (known == 0) {
            throw new InvalidConfiguration(
                "The consumer %s has never read the topic %s. Nothing was changed."
                    .formatted(consumer, topic));
          }
          for (Map.Entry<Integer, Long> offset : offsets.entrySet()) {
            database.update(
                connection,
                """
                insert into ${schema}.log_offset (consumer, topic, partition_no, next_offset)
                values (?, ?, ?, ?)
                on conflict (consumer, topic, partition_no) do update
                set next_offset = excluded.next_offset, leader_epoch = null, stopped = null,
                    moved_at = clock_timestamp()
                """,
                consumer,
                topic,
                offset.getKey(),
                offset.getValue());
          }
        });
  }
}
