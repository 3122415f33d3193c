package dev.holdfast.postgres;

import dev.holdfast.HoldfastException;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.ChannelStatus;
import dev.holdfast.outbox.store.ChannelStore;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.postgres.Database.Untyped;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Channels, routes and the database's copy of the progress. */
final class PostgresChannels implements ChannelStore {
  static final String SYSTEM = "(select system_identifier from pg_control_system())::text";

  /**
   * A snapshot taken before the channel is committed: all who see the channel commit after it. The
   * era is one that no removed channel of the name had, so that what the target remembers of that
   * one is not mistaken for what a clone of this database has done.
   */
  private static final String CREATE_PROGRESS =
      "insert into ${schema}.progress (channel, from_snapshot, era, system)"
          + " select ?, pg_current_snapshot(), 1 + coalesce((select l.epoch::integer from"
          + " ${schema}.lease l where l.name = 'removed/' || ?), 0), "
          + SYSTEM
          + " on conflict do nothing";

  /** Its era outlives a removed channel, in a lease that nobody takes. */
  private static final String REMEMBER_ERA =
      """
      insert into ${schema}.lease (name, epoch, expires_at)
      select 'removed/' || p.channel, p.era, '-infinity' from ${schema}.progress p where p.channel = ?
      on conflict (name) do update set epoch = excluded.epoch
      """;

  private static final String ADD_ROUTE =
      """
      insert into ${schema}.route as r (channel, pattern, like_pattern) values (?, ?, ?)
      on conflict (channel, pattern) do update set closing = null, horizon = null
        where r.closing is not null
      """;

  private static final String OPEN_ROUTES =
      """
      select pattern from ${schema}.route where channel = ? and closing is null order by pattern
      """;

  private static final String STATUS =
      """
      select c.state, c.reason, p.from_snapshot::text, p.to_snapshot::text, p.position,
             case when l.expires_at > ${schema}.now() then l.owner end as leader,
             coalesce(l.epoch, 0) as epoch,
             (select count(*) from ${schema}.parked_lane x where x.channel = c.name) as lanes,
             (select count(*) from ${schema}.parked_message x where x.channel = c.name
                and not exists (select from ${schema}.parked_skip s
                                where s.channel = x.channel and s.position = x.position))
               as messages
      from ${schema}.channel c
      join ${schema}.progress p on p.channel = c.name
      left join ${schema}.lease l on l.name = 'channel/' || c.name
      where c.name = ?
      """;

  /** What the channel's cursor has not passed, counted up to a bound. */
  private static final String LAG =
      """
      select count(*) as messages,
             greatest(0, coalesce(date_part('epoch', ${schema}.now() - min(recorded_at)), 0))
               as seconds
      from (select m.recorded_at from ${schema}.message m
            where (m.xid >= pg_snapshot_xmax(?) or m.xid = any (array(select pg_snapshot_xip(?))))
              and not (? and pg_visible_in_snapshot(m.xid, ?) and m.position <= ?)
              and m.kind = 0
              and m.topic like any (array(
                select r.like_pattern from ${schema}.route r where r.channel = ?))
            limit ?) w
      """;

  private static final String SAVE =
      "update ${schema}.progress set from_snapshot = ?, to_snapshot = ?, position = ?,"
          + " replayed = ?, record = ?, copies = copies + 1, updated_at = clock_timestamp(),"
          + " system = "
          + SYSTEM
          + " where channel = ?";

  private static final List<String> OF_A_CHANNEL =
      List.of("parked_skip", "parked_message", "parked_lane", "route", "progress");

  private static final String REMOVAL =
      """
      select (select l.owner from ${schema}.lease l
              where l.name = 'channel/' || c.name and l.expires_at > ${schema}.now()) as leader,
             (select count(*) from ${schema}.route r where r.channel = c.name) as routes,
             (select count(*) from ${schema}.parked_message p where p.channel = c.name) as parked
      from ${schema}.channel c where c.name = ? for update of c
      """;

  private final Database database;

  PostgresChannels(Database database) {
    this.database = database;
  }

  @Override
  public List<String> register(String channel, List<String> patterns) {
    return database.transact(
        "register channel " + channel,
        connection -> {
          database.update(
              connection,
              "insert into ${schema}.channel (name) values (?) on conflict do nothing",
              channel);
          database.update(connection, CREATE_PROGRESS, channel, channel);
          for (String pattern : patterns) {
            database.update(connection, ADD_ROUTE, channel, pattern, likePattern(pattern));
          }
          return database.many(connection, OPEN_ROUTES, row -> row.getString(1), channel);
        });
  }

  private static String likePattern(String pattern) {
    return pattern.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%").replace('*', '%');
  }

  @Override
  public boolean closeRoute(String channel, String pattern) {
    return database.transact(
            "close a route of channel " + channel,
            connection ->
                database.update(
                    connection,
                    """
                    update ${schema}.route set closing = pg_current_xact_id()
                    where channel = ? and pattern = ? and closing is null
                    """,
                    channel,
                    pattern))
        > 0;
  }

  @Override
  public List<String> names() {
    return database.transact(
        "list the channels",
        connection ->
            database.many(
                connection,
                "select name from ${schema}.channel order by name",
                row -> row.getString(1)));
  }

  @Override
  public Optional<ChannelState> state(String channel) {
    return database.transact(
        "read the state of channel " + channel,
        connection ->
            database.one(
                connection,
                "select state from ${schema}.channel where name = ?",
                row -> ChannelState.valueOf(row.getString(1)),
                channel));
  }

  /** A channel's row as {@link #STATUS} reads it. */
  private record Seen(
      ChannelState state,
      @Nullable String reason,
      Cursor cursor,
      @Nullable String leader,
      long epoch,
      long lanes,
      long messages) {}

  private record Lag(long messages, Duration age) {}

  @Override
  public ChannelStatus status(String channel) {
    return database.transact(
        "read the status of channel " + channel,
        connection -> {
          Seen seen =
              database
                  .one(
                      connection,
                      STATUS,
                      row ->
                          new Seen(
                              ChannelState.valueOf(row.getString("state")),
                              row.getString("reason"),
                              new Cursor(
                                  row.getString("from_snapshot"),
                                  row.getString("to_snapshot"),
                                  row.getLong("position"),
                                  0),
                              row.getString("leader"),
                              row.getLong("epoch"),
                              row.getLong("lanes"),
                              row.getLong("messages")),
                      channel)
                  .orElseThrow(() -> unknown(channel));
          Lag lag = lag(connection, channel, seen.cursor());
          return new ChannelStatus(
              channel,
              seen.state(),
              seen.reason(),
              database.many(connection, OPEN_ROUTES, row -> row.getString(1), channel),
              seen.leader(),
              seen.epoch(),
              lag.messages(),
              lag.age(),
              seen.lanes(),
              seen.messages());
        });
  }

  private Lag lag(Connection connection, String channel, Cursor cursor) throws SQLException {
    Untyped from = new Untyped(cursor.from());
    Untyped to = new Untyped(cursor.to() == null ? cursor.from() : cursor.to());
    return database
        .one(
            connection,
            LAG,
            row ->
                new Lag(
                    row.getLong("messages"),
                    Duration.ofMillis((long) (row.getDouble("seconds") * 1000))),
            from,
            from,
            cursor.insideWindow(),
            to,
            cursor.position(),
            channel,
            ChannelStatus.LAG_BOUND)
        .orElseThrow();
  }

  private static HoldfastException unknown(String channel) {
    return new HoldfastException(
        "There is no channel "
            + channel
            + " in this database. Nothing was changed. The channels are listed by: holdfast outbox"
            + " status.");
  }

  @Override
  public void setState(String channel, ChannelState state, String actor, @Nullable String reason) {
    database.write(
        "set the state of channel " + channel,
        connection -> {
          int rows =
              database.update(
                  connection,
                  "update ${schema}.channel set state = ?, reason = ? where name = ?",
                  state.name(),
                  reason,
                  channel);
          if (rows == 0) {
            throw unknown(channel);
          }
          audit(database, connection, actor, state.name(), channel, null, null, reason);
        });
  }

  /** Writes down what an operator did. */
  static void audit(
      Database database,
      Connection connection,
      String actor,
      String action,
      String channel,
      @Nullable String lane,
      @Nullable Long position,
      @Nullable String detail)
      throws SQLException {
    database.update(
        connection,
        """
        insert into ${schema}.audit (actor, action, channel, lane, position, detail)
        values (?, ?, ?, ?, ?::bigint, ?)
        """,
        actor,
        action,
        channel,
        lane,
        position,
        detail);
  }

  @Override
  public boolean stop(Lease lease, String channel, String reason) {
    return database.fenced(
        "stop channel " + channel,
        lease,
        connection -> {
          database.update(
              connection,
              "update ${schema}.channel set state = 'STOPPED', reason = ? where name = ?",
              reason,
              channel);
          audit(database, connection, lease.owner(), "STOPPED", channel, null, null, reason);
        });
  }

  @Override
  public Progress progress(String channel) {
    return database.transact(
        "read the progress of channel " + channel,
        connection ->
            database
                .one(
                    connection,
                    """
                    select from_snapshot::text, to_snapshot::text, position, replayed, record, era,
                           system, copies
                    from ${schema}.progress where channel = ?
                    """,
                    row ->
                        new Progress(
                            new Cursor(
                                row.getString("from_snapshot"),
                                row.getString("to_snapshot"),
                                row.getLong("position"),
                                row.getLong("replayed")),
                            row.getString("record"),
                            row.getInt("era"),
                            row.getString("system"),
                            row.getLong("copies")),
                    channel)
                .orElseThrow(() -> unknown(channel)));
  }

  @Override
  public boolean saveProgress(Lease lease, String channel, Cursor cursor, @Nullable String record) {
    return database.fenced(
        "save the progress of channel " + channel,
        lease,
        connection -> {
          database.update(
              connection,
              SAVE,
              new Untyped(cursor.from()),
              new Untyped(cursor.to()),
              cursor.position(),
              cursor.replayed(),
              record,
              channel);
        });
  }

  @Override
  public int reanchor(String channel, boolean fromBeginning, String actor) {
    return database.transact(
        "reanchor channel " + channel,
        connection -> {
          int era =
              new NewEra(database, connection, channel)
                  .begin(fromBeginning)
                  .orElseThrow(() -> unknown(channel));
          audit(
              database,
              connection,
              actor,
              "REANCHOR",
              channel,
              null,
              null,
              "era " + era + (fromBeginning ? ", from the beginning" : ""));
          return era;
        });
  }

  @Override
  public void remove(String channel, boolean discard, String actor) {
    database.write(
        "remove channel " + channel,
        connection -> {
          // For update: registering the channel anew waits, and begins with a new one.
          Removal removal =
              database
                  .one(
                      connection,
                      REMOVAL,
                      row ->
                          new Removal(
                              row.getString("leader"), row.getInt("routes"), row.getInt("parked")),
                      channel)
                  .orElseThrow(() -> unknown(channel));
          removal.demandPermitted(channel, discard);
          database.update(connection, REMEMBER_ERA, channel);
          for (String table : OF_A_CHANNEL) {
            database.update(
                connection, "delete from ${schema}." + table + " where channel = ?", channel);
          }
          database.update(
              connection, "delete from ${schema}.lease where name = 'channel/' || ?", channel);
          database.update(connection, "delete from ${schema}.channel where name = ?", channel);
          audit(
              database,
              connection,
              actor,
              "REMOVE",
              channel,
              null,
              null,
              removal.routes() + " routes, " + removal.parked() + " parked messages");
        });
  }

  /** What stands against removing a channel. */
  private record Removal(@Nullable String leader, int routes, int parked) {
    void demandPermitted(String channel, boolean discard) {
      if (leader != null) {
        throw new HoldfastException(
            "Channel %s is led by %s. Nothing was changed. Take it out of that process's configuration first."
                .formatted(channel, leader));
      }
      if (!discard && (routes > 0 || parked > 0)) {
        throw new HoldfastException(
            "Channel %s still has %d route(s) and %d parked message(s), so that messages could be lost. Nothing was changed. Close its routes (holdfast outbox unroute) and let a relay deliver the rest, or give it up with --discard."
                .formatted(channel, routes, parked));
      }
    }
  }
}
