package dev.holdfast.postgres;

import dev.holdfast.HoldfastException;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.ParkedMessage;
import dev.holdfast.outbox.store.ParkingStore;
import dev.holdfast.postgres.Database.Untyped;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Parked lanes and messages. The leader's writes are fenced; an operator's lock the lane's row. */
final class PostgresParking implements ParkingStore {
  private static final String COPY =
      """
      insert into ${schema}.parked_message (channel, position, lane, id, topic, key, type,
        content_type, payload, headers, operation_id, recorded_at)
      select ?, m.position, l.lane, m.id, m.topic, m.key, m.type, m.content_type, m.payload,
             m.headers, m.operation_id, m.recorded_at
      from unnest(?::bigint[], ?::text[]) as l(position, lane)
      join ${schema}.message m on m.position = l.position
      on conflict do nothing
      """;

  /** The parked rows of a lane that a control row is to send, or that it has sent. */
  private static final String RELEASED =
      """
      l.channel = p.channel and l.lane = p.lane
      and (l.release_at = ? or l.released_at = ? and p.position < l.parked_from)
      """;

  private static final String NOT_SKIPPED =
      """
      not exists (select from ${schema}.parked_skip s
                  where s.channel = p.channel and s.position = p.position)
      """;

  /**
   * The control rows that progress has passed and whose release is not finished. A lane may have
   * two: one that was refused again, and one that was ordered since.
   */
  private static final String PASSED =
      """
      select l.lane, c.at
      from ${schema}.parked_lane l
      cross join lateral (values (l.released_at), (l.release_at)) as c(at)
      join ${schema}.message m on m.position = c.at
      where l.channel = ?
        and (pg_visible_in_snapshot(m.xid, ?)
             or ? and pg_visible_in_snapshot(m.xid, ?) and m.position <= ?)
      order by c.at
      """;

  private final Database database;

  PostgresParking(Database database) {
    this.database = database;
  }

  @Override
  public Map<String, Long> parkedFrom(String channel, Collection<String> lanes) {
    return database.transact(
        "look for parked keys",
        connection -> {
          Map<String, Long> result = new HashMap<>();
          database.many(
              connection,
              "select lane, parked_from from ${schema}.parked_lane where channel = ? and lane ="
                  + " any (?)",
              row -> result.put(row.getString(1), row.getLong(2)),
              channel,
              lanes.toArray(new String[0]));
          return result;
        });
  }

  @Override
  public boolean anyParked(String channel) {
    return database.transact(
        "look for parked keys",
        connection ->
            database
                .one(
                    connection,
                    "select 1 from ${schema}.parked_lane where channel = ? limit 1",
                    row -> 1,
                    channel)
                .isPresent());
  }

  @Override
  public boolean park(
      Lease lease,
      String channel,
      Map<String, String> reasons,
      Map<String, Long> from,
      List<OutboxRecord> messages) {
    return database.fenced(
        "park messages of channel " + channel,
        lease,
        connection -> {
          for (Map.Entry<String, String> lane : reasons.entrySet()) {
            database.update(
                connection,
                """
                insert into ${schema}.parked_lane (channel, lane, parked_from, reason)
                values (?, ?, ?, ?) on conflict do nothing
                """,
                channel,
                lane.getKey(),
                from.get(lane.getKey()),
                lane.getValue());
          }
          if (!messages.isEmpty()) {
            List<Long> positions = new ArrayList<>();
            List<String> lanes = new ArrayList<>();
            for (OutboxRecord message : messages) {
              positions.add(message.position());
              lanes.add(message.lane());
            }
            database.update(
                connection,
                COPY,
                channel,
                positions.toArray(new Long[0]),
                lanes.toArray(new String[0]));
          }
        });
  }

  @Override
  public List<OutboxRecord> releasable(
      String channel, String lane, long controlPosition, long afterPosition, int limit) {
    return database.transact(
        "read parked messages",
        connection ->
            database.many(
                connection,
                "select "
                    + MessageRow.output("p")
                    + " from ${schema}.parked_message p join ${schema}.parked_lane l on "
                    + RELEASED
                    + " where p.channel = ? and p.lane = ? and p.position > ? and "
                    + NOT_SKIPPED
                    + " order by p.position limit ?",
                row -> new MessageRow().read(row, 1, OutboxRecord.Kind.MESSAGE),
                controlPosition,
                controlPosition,
                channel,
                lane,
                afterPosition,
                limit));
  }

  @Override
  public boolean parkAgain(
      Lease lease,
      String channel,
      String lane,
      long controlPosition,
      long fromPosition,
      String reason) {
    return database.fenced(
        "park a key of channel " + channel + " again",
        lease,
        connection -> {
          database.update(
              connection,
              """
              update ${schema}.parked_lane
              set parked_from = ?, released_at = ?, release_at = null, reason = ?,
                  parked_at = clock_timestamp()
              where channel = ? and lane = ? and (release_at = ? or released_at = ?)
              """,
              fromPosition,
              controlPosition,
              reason,
              channel,
              lane,
              controlPosition,
              controlPosition);
        });
  }

  @Override
  public boolean finishRelease(Lease lease, String channel, String lane, long controlPosition) {
    return database.fenced(
        "finish a replay of channel " + channel,
        lease,
        connection -> {
          finish(connection, channel, lane, controlPosition);
        });
  }

  @Override
  public boolean finishReleasesBefore(Lease lease, String channel, Cursor progress) {
    return database.fenced(
        "finish replays of channel " + channel,
        lease,
        connection -> {
          record Passed(String lane, long at) {}
          Untyped to = new Untyped(progress.to() == null ? progress.from() : progress.to());
          List<Passed> passed =
              database.many(
                  connection,
                  PASSED,
                  row -> new Passed(row.getString(1), row.getLong(2)),
                  channel,
                  new Untyped(progress.from()),
                  progress.insideWindow(),
                  to,
                  progress.position());
          for (Passed each : passed) {
            finish(connection, channel, each.lane(), each.at());
          }
        });
  }

  /** Deletes what the control row sent; what was skipped stays, readable, with its lane gone. */
  private void finish(Connection connection, String channel, String lane, long controlPosition)
      throws SQLException {
    database.update(
        connection,
        "delete from ${schema}.parked_message p using ${schema}.parked_lane l where "
            + RELEASED
            + " and p.channel = ? and p.lane = ? and "
            + NOT_SKIPPED,
        controlPosition,
        controlPosition,
        channel,
        lane);
    database.update(
        connection,
        "delete from ${schema}.parked_lane where channel = ? and lane = ? and release_at = ?",
        channel,
        lane,
        controlPosition);
    database.update(
        connection,
        """
        update ${schema}.parked_lane set released_at = null
        where channel = ? and lane = ? and released_at = ?
        """,
        channel,
        lane,
        controlPosition);
  }

  @Override
  public List<ParkedMessage> list(String channel, int limit) {
    return database.transact(
        "list parked messages",
        connection ->
            database.many(
                connection,
                "select "
                    + MessageRow.output("p")
                    + """
                    , p.lane, l.reason, p.parked_at, not %s as skipped,
                      l.release_at is not null as releasing
                    from ${schema}.parked_message p
                    left join ${schema}.parked_lane l
                      on l.channel = p.channel and l.lane = p.lane
                    where p.channel = ? order by p.position limit ?
                    """
                        .formatted(NOT_SKIPPED),
                row ->
                    new ParkedMessage(
                        channel,
                        row.getString("lane"),
                        new MessageRow().read(row, 1, OutboxRecord.Kind.MESSAGE),
                        row.getString("reason"),
                        row.getTimestamp("parked_at").toInstant(),
                        row.getBoolean("skipped"),
                        row.getBoolean("releasing")),
                channel,
                limit));
  }

  @Override
  public void orderPark(String channel, String lane, String actor, String reason) {
    database.write(
        "order a key to be parked",
        connection -> {
          requireChannel(connection, channel);
          long position = control(connection, 1, channel, lane);
          PostgresChannels.audit(
              database, connection, actor, "PARK", channel, lane, position, reason);
        });
  }

  @Override
  public void orderUnpark(String channel, String lane, String actor) {
    database.write(
        "order a replay",
        connection -> {
          requireChannel(connection, channel);
          boolean ordered =
              database
                  .one(
                      connection,
                      """
                      select release_at is not null from ${schema}.parked_lane
                      where channel = ? and lane = ? for update
                      """,
                      row -> row.getBoolean(1),
                      channel,
                      lane)
                  .orElseThrow(
                      () ->
                          new HoldfastException(
                              "Nothing is parked under "
                                  + lane
                                  + " in channel "
                                  + channel
                                  + ". Nothing was changed. What is parked is listed by: holdfast"
                                  + " outbox list."));
          if (ordered) {
            throw new HoldfastException(
                "A replay of "
                    + lane
                    + " is ordered already and waits for the channel's leader. Nothing was"
                    + " changed.");
          }
          long position = control(connection, 2, channel, lane);
          database.update(
              connection,
              "update ${schema}.parked_lane set release_at = ? where channel = ? and lane = ?",
              position,
              channel,
              lane);
          PostgresChannels.audit(
              database, connection, actor, "UNPARK", channel, lane, position, null);
        });
  }

  /** Draws a control row under the lock of the lane's key. */
  private long control(Connection connection, int kind, String channel, String lane)
      throws SQLException {
    @Nullable String key = lane.startsWith("k:") ? lane.substring(2) : null;
    database.call(connection, "select ${schema}.lock_keys(array[?::text])", key);
    return database
        .one(
            connection,
            """
            select ${schema}.append(?::smallint, array[gen_random_uuid()], array[?::text],
              array[?::text], array['control'], array['text/plain'], array[null::bytea],
              array[null::jsonb], null)
            """,
            row -> row.getLong(1),
            kind,
            channel,
            lane)
        .orElseThrow();
  }

  private void requireChannel(Connection connection, String channel) throws SQLException {
    boolean known =
        database
            .one(connection, "select 1 from ${schema}.channel where name = ?", row -> 1, channel)
            .isPresent();
    if (!known) {
      throw new HoldfastException(
          "There is no channel " + channel + " in this database. Nothing was changed.");
    }
  }

  @Override
  public void skip(String channel, long position, String actor, String reason) {
    database.write(
        "skip a parked message",
        connection -> {
          int rows =
              database.update(
                  connection,
                  """
                  insert into ${schema}.parked_skip (channel, position)
                  select channel, position from ${schema}.parked_message
                  where channel = ? and position = ? on conflict do nothing
                  """,
                  channel,
                  position);
          if (rows == 0) {
            throw new HoldfastException(
                "No message at position "
                    + position
                    + " is parked in channel "
                    + channel
                    + ", or it is skipped already. Nothing was changed.");
          }
          PostgresChannels.audit(
              database, connection, actor, "SKIP", channel, null, position, reason);
        });
  }
}
