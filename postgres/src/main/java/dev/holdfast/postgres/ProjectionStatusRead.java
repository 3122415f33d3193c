package dev.holdfast.postgres;

import dev.holdfast.projection.store.ProjectionStatus;
import dev.holdfast.projection.store.ProjectionStatus.SlotStatus;
import dev.holdfast.projection.store.ProjectionStore.Version;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the tables say of projections. Locks nothing. */
final class ProjectionStatusRead {
  private static final int MOST = 1_000;

  /**
   * A version for each row, with its slots beside each other in arrays. Who is at a slot has the
   * lease that {@code SlotRun} and {@code ChannelRun} name so.
   */
  private static final String STATUS =
      """
      select v.name, v.version, p.live, s.slots, s.checkpoints, s.generations, s.changed, s.owners,
             (select count(*) from ${schema}.projection_parked k
              where k.name = v.name and k.version = v.version) as parked,
             (select count(*) from (
                select from ${schema}.event_all e where e.position > s.least limit ?) as c) as behind,
             coalesce((
               select greatest(extract(epoch from ${schema}.now() - e.recorded_at) * 1000, 0)::bigint
               from ${schema}.event_all e where e.position > s.least
               order by e.position limit 1), 0) as behind_ms
      from ${schema}.projection_version v
        join ${schema}.projection p on p.name = v.name
        cross join lateral (
          select array_agg(x.slot order by x.slot) as slots,
                 array_agg(x.checkpoint order by x.slot) as checkpoints,
                 array_agg(x.generation order by x.slot) as generations,
                 array_agg(x.changed_at order by x.slot) as changed,
                 array_agg(l.owner order by x.slot) as owners,
                 min(x.checkpoint) as least
          from ${schema}.projection_slot x left join ${schema}.lease l
            on l.name = case when x.name like 'channel/%'
                             then 'events/' || substr(x.name, 9)
                             else 'projection/' || x.name || '/' || x.version || '/' || x.slot end
              and l.owner is not null and l.expires_at > ${schema}.now()
          where x.name = v.name and x.version = v.version) as s
      where (?::text is null or (v.name = ? and v.version = ?)) and s.least is not null
      order by v.name, v.version limit ?
      """;

  private final Database database;

  ProjectionStatusRead(Database database) {
    this.database = database;
  }

  List<ProjectionStatus> all(Connection connection) throws SQLException {
    return read(connection, null, 0);
  }

  Optional<ProjectionStatus> one(Connection connection, Version version) throws SQLException {
    return read(connection, version.name(), version.version()).stream().findFirst();
  }

  private List<ProjectionStatus> read(Connection connection, @Nullable String name, int version)
      throws SQLException {
    return database.many(
        connection,
        STATUS,
        ProjectionStatusRead::status,
        ProjectionStatus.BEHIND_BOUND,
        name,
        name,
        version,
        MOST);
  }

  private static ProjectionStatus status(ResultSet row) throws SQLException {
    Integer[] slots = (Integer[]) row.getArray("slots").getArray();
    Long[] checkpoints = (Long[]) row.getArray("checkpoints").getArray();
    Long[] generations = (Long[]) row.getArray("generations").getArray();
    Timestamp[] changed = (Timestamp[]) row.getArray("changed").getArray();
    String[] owners = (String[]) row.getArray("owners").getArray();
    List<SlotStatus> all = new ArrayList<>();
    for (int i = 0; i < slots.length; i++) {
      all.add(
          new SlotStatus(
              slots[i], checkpoints[i], generations[i], changed[i].toInstant(), owners[i]));
    }
    return new ProjectionStatus(
        new Version(row.getString("name"), row.getInt("version")),
        row.getInt("live"),
        all,
        row.getLong("behind"),
        Duration.ofMillis(row.getLong("behind_ms")),
        row.getLong("parked"));
  }
}
