package dev.holdfast.postgres;

import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.store.RunCatalog;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads the views that are there for people. */
final class PostgresRunCatalog implements RunCatalog {
  private static final String LISTED =
      "select run, id, name, version, status, unwinding, reason, cancelled, due_at, waits_for,"
          + " deadline_at, queue, held, executor, operation_id, attributes, input, started_at,"
          + " changed_at from ${schema}.workflow_run";

  private static final String SEARCH =
      LISTED
          + """
           where (?::text is null or name = ?)
            and (cardinality(?::text[]) = 0 or status = any (?))
            and (?::text is null or queue = ?)
            and (?::jsonb = '{}' or attributes @> ?::jsonb)
          order by run desc limit ?
          """;

  private static final String AUDIT =
      """
      select at, who, action, note from (
        select at, who, action, note from ${schema}.workflow_audit
        where run = ? order by at desc limit 1000) as newest
      order by at
      """;

  private static final String QUEUES =
      """
      select queue, count(*) filter (where held) as waiting,
             count(*) filter (where admitted_at is not null and not held
                                and status in ('PARKED', 'RUNNING', 'STUCK')) as under_way,
             min(due_at) filter (where held and due_at <= ${schema}.now()) as oldest
      from ${schema}.workflow_state
      where queue is not null
        and (held or (admitted_at is not null and status in ('PARKED', 'RUNNING', 'STUCK')))
      group by queue order by queue
      """;

  private final Database database;

  PostgresRunCatalog(Database database) {
    this.database = database;
  }

  @Override
  public List<Listed> search(Search search) {
    String attributes = Headers.toJson(search.attributes());
    return database.transact(
        "look for runs",
        connection -> {
          java.sql.Array statuses =
              connection.createArrayOf(
                  "text", search.statuses().stream().map(RunStatus::name).toArray());
          return database.many(
              connection,
              SEARCH,
              PostgresRunCatalog::listed,
              search.name(),
              search.name(),
              statuses,
              statuses,
              search.queue(),
              search.queue(),
              attributes,
              attributes,
              search.limit());
        });
  }

  @Override
  public Optional<Listed> find(String id) {
    return database.transact(
        "look for run " + id,
        connection ->
            database.one(connection, LISTED + " where id = ?", PostgresRunCatalog::listed, id));
  }

  private static Listed listed(ResultSet row) throws SQLException {
    return new Listed(
        row.getLong("run"),
        row.getString("id"),
        row.getString("name"),
        row.getInt("version"),
        RunStatus.valueOf(row.getString("status")),
        row.getBoolean("unwinding"),
        row.getString("reason"),
        row.getString("cancelled"),
        instant(row, "due_at"),
        Arrays.stream((Object[]) row.getArray("waits_for").getArray())
            .map(String::valueOf)
            .toList(),
        instant(row, "deadline_at"),
        row.getString("queue"),
        row.getBoolean("held"),
        row.getString("executor"),
        row.getString("operation_id"),
        Headers.fromJson(row.getString("attributes")),
        row.getString("input"),
        row.getTimestamp("started_at").toInstant(),
        row.getTimestamp("changed_at").toInstant());
  }

  private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
    Timestamp at = row.getTimestamp(column);
    return at == null ? null : at.toInstant();
  }

  @Override
  public List<Audited> audit(long run) {
    return database.transact(
        "read what was done to run " + run,
        connection ->
            database.many(
                connection,
                AUDIT,
                row ->
                    new Audited(
                        row.getTimestamp(1).toInstant(),
                        row.getString(2),
                        row.getString(3),
                        row.getString(4)),
                run));
  }

  @Override
  public List<Queued> queues() {
    return database.transact(
        "read the queues",
        connection ->
            database.many(
                connection,
                QUEUES,
                row ->
                    new Queued(
                        row.getString(1), row.getLong(2), row.getLong(3), instant(row, "oldest"))));
  }
}
