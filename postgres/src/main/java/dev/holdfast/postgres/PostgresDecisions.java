package dev.holdfast.postgres;

import dev.holdfast.Isolation;
import dev.holdfast.Message;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.twophase.store.Digest;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.Heuristic;
import dev.holdfast.twophase.store.Server;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Decisions in a table of the user's own database. Those who ask about one insert the same row,
 * READ COMMITTED, and so wait on its transaction's id, bounded by a {@code lock_timeout}.
 */
final class PostgresDecisions implements DecisionStore {
  private static final String DECIDE = "select ${schema}.decide(?, ?::text[], ?, ?, ?)";

  /** One round trip, two results. */
  private static final String PUBLISH_AND_DECIDE = PostgresWriter.PUBLISH + "; " + DECIDE;

  /** What is not inserted is there, committed: an open transaction is waited for. */
  private static final String PROBE =
      """
      insert into ${schema}.decision (serial, nonce, participants)
      select serial, nonce, '{}' from unnest(?, ?) as asked(serial, nonce) order by serial, nonce
      on conflict do nothing
      returning serial, nonce
      """;

  /**
   * In one statement what all participants have been cleaned of, which costs little, and what only
   * those have that it names.
   */
  private static final String DELETE_UNNEEDED =
      """
      with cleaned as materialized (
        select min(cleaned) as by_all, array_agg(name) as names from ${schema}.participant)
      delete from ${schema}.decision d using cleaned c
      where d.serial <= ? and d.participants @> array[?]::text[]
        and case when d.serial <= c.by_all and d.participants <@ c.names then true
            else not exists (select from unnest(d.participants) as p
                             left join ${schema}.participant r on r.name = p
                             where r.cleaned is null or r.cleaned < d.serial) end
      """;

  /**
   * Without the condition on the age: that would read all that is too young for it. Not beyond the
   * last decision, where there is one: who asks for a later one that was rolled back is to be told.
   */
  private static final String RIPE =
      """
      with page as materialized (
        select serial, nonce, decided_at > clock_timestamp() - ? * interval '1 millisecond' as young
        from ${schema}.decision
        where serial > ? and serial <= ? and participants @> array[?]::text[]
        order by serial, nonce limit ?),
      edge as materialized (
        select least(case when count(*) = ? then max(serial) - 1
                          else coalesce(max(serial) filter (where not young), ?) end,
                     min(serial) filter (where young) - 1) as up_to
        from page)
      select e.up_to, count(p.serial), coalesce(sum(p.serial), 0), coalesce(sum(p.nonce), 0)
      from edge e left join page p on p.serial <= e.up_to group by e.up_to
      """;

  /** Gives this transaction an id, and makes its commit one that is flushed. */
  private static final String FLUSHED =
      """
      select pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
             pg_logical_emit_message(true, 'holdfast', ''),
             ${schema}.require_flush()
      """;

  private static final String RECORD =
      """
      insert into ${schema}.heuristic (gid, serial, participant, operation_id, kind)
      values (?, ?, ?, ?, ?) on conflict do nothing
      """;

  private static final String PARTICIPANTS =
      """
      select name, system, database, timeline, place, started, claim, next_claim, cleaned
      from ${schema}.participant
      """;

  /** How long the answers may be used: that a successor need not wait for a host that has died. */
  private static final Duration HELD_AT_MOST = Duration.ofSeconds(30);

  private final Database database;
  private final Branches branches = new Branches();

  PostgresDecisions(Database database) {
    this.database = database;
  }

  @Override
  public Identity identity() {
    return database.transact(
        "read which server this is",
        connection ->
            database
                .one(
                    connection,
                    "select store_id, " + ServerSql.COLUMNS + " from ${schema}.store",
                    row -> new Identity(row.getObject("store_id", UUID.class), ServerSql.read(row)))
                .orElseThrow());
  }

  @Override
  public void verify() {
    Rights.ofADecider(database);
  }

  @Override
  public void begin(Connection connection, Isolation isolation, Duration lockTimeout)
      throws SQLException {
    branches.begin(connection, isolation, lockTimeout);
  }

  @Override
  public boolean hasWritten(Connection connection) throws SQLException {
    return Branches.hasWritten(connection);
  }

  @Override
  public void bound(Connection connection, Duration lockTimeout) throws SQLException {
    database.call(
        connection,
        "select set_config('lock_timeout', ?, true) where current_setting('lock_timeout') = '0'",
        Long.toString(Math.max(1, lockTimeout.toMillis())));
  }

  @Override
  public long serial(Connection connection) throws SQLException {
    return database
        .one(connection, "select pg_current_xact_id()::text::bigint", row -> row.getLong(1))
        .orElseThrow();
  }

  @Override
  public long decide(Connection connection, Decision decision, List<Message> messages)
      throws SQLException {
    String sql = database.schema().in(messages.isEmpty() ? DECIDE : PUBLISH_AND_DECIDE);
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      int next =
          messages.isEmpty()
              ? 1
              : PostgresWriter.bind(connection, statement, decision.operationId(), messages);
      statement.setLong(next, decision.nonce());
      // Names need no quoting.
      statement.setString(next + 1, "{" + String.join(",", decision.participants()) + "}");
      statement.setString(next + 2, decision.operationId());
      statement.setInt(next + 3, Math.toIntExact(decision.within().toMillis()));
      statement.setBoolean(next + 4, decision.sinceBegin());
      statement.execute();
      if (!messages.isEmpty()) {
        statement.getMoreResults();
      }
      try (ResultSet rows = statement.getResultSet()) {
        rows.next();
        return rows.getLong(1);
      }
    } catch (SQLException e) {
      if (SqlErrors.state(e).equals(PostgresBranches.NO_LOCK_TIMEOUT)) {
        branches.distrustDefaults();
      }
      throw e;
    }
  }

  @Override
  public void probe(Collection<Gid> gids, Duration patience, WhileProbing use) {
    List<Gid> all = List.copyOf(gids);
    if (!tryProbe(all, patience, use)) {
      // Somebody's transaction is open, and the statement cannot say whose: one by one.
      for (Gid gid : all) {
        if (!tryProbe(List.of(gid), patience, use)) {
          use.accept(Map.of(gid, Probe.OPEN));
        }
      }
    }
  }

  /**
   * @return false when a transaction that has one of the rows is open
   */
  private boolean tryProbe(List<Gid> gids, Duration patience, WhileProbing use) {
    return database.onConnection(
        "ask about " + gids.size() + " decision(s)",
        connection -> {
          database.call(
              connection,
              "set transaction isolation level read committed; set local lock_timeout = "
                  + Math.max(1, patience.toMillis())
                  + "; set local idle_in_transaction_session_timeout = "
                  + HELD_AT_MOST.toMillis());
          Set<List<Long>> absent;
          try {
            absent = insert(connection, gids);
          } catch (SQLException e) {
            if (SqlErrors.state(e).equals(SqlErrors.LOCK_NOT_AVAILABLE)) {
              return false;
            }
            throw e;
          }
          // After the insert, so that it is known what had been forgotten by then.
          Map<String, Long> cleaned = cleaned(connection);
          Map<Gid, Probe> answers = new HashMap<>();
          for (Gid gid : gids) {
            boolean isAbsent = absent.contains(List.of(gid.serial(), gid.nonce()));
            boolean isForgotten = gid.serial() <= cleaned.getOrDefault(gid.participant(), 0L);
            answers.put(
                gid,
                !isAbsent ? Probe.COMMITTED : isForgotten ? Probe.FORGOTTEN : Probe.ROLLED_BACK);
          }
          use.accept(answers);
          // The connection is rolled back by whoever lent it; the trigger would refuse a commit.
          return true;
        });
  }

  private Map<String, Long> cleaned(Connection connection) throws SQLException {
    Map<String, Long> result = new HashMap<>();
    database.many(
        connection,
        "select name, cleaned from ${schema}.participant",
        row -> result.put(row.getString(1), row.getLong(2)));
    return result;
  }

  private Set<List<Long>> insert(Connection connection, List<Gid> gids) throws SQLException {
    Array serials = connection.createArrayOf("bigint", gids.stream().map(Gid::serial).toArray());
    Array nonces = connection.createArrayOf("bigint", gids.stream().map(Gid::nonce).toArray());
    return new HashSet<>(
        database.many(
            connection, PROBE, row -> List.of(row.getLong(1), row.getLong(2)), serials, nonces));
  }

  @Override
  public boolean isRetryable(SQLException error) {
    return Branches.isRetryable(error);
  }

  @Override
  public long over() {
    return database.transact(
        "read the oldest transaction",
        connection -> database.one(connection, FLUSHED, row -> row.getLong(1)).orElseThrow());
  }

  @Override
  public Ripe ripe(String participant, long above, long upTo, Duration age, int limit) {
    return database.transact(
        "read which decisions can be forgotten",
        connection ->
            database
                .one(
                    connection,
                    RIPE,
                    row -> new Ripe(row.getLong(1), digest(row, 2)),
                    age.toMillis(),
                    above,
                    upTo,
                    participant,
                    limit,
                    limit,
                    upTo)
                .orElseThrow());
  }

  static Digest digest(ResultSet row, int first) throws SQLException {
    return new Digest(
        row.getLong(first), row.getBigDecimal(first + 1), row.getBigDecimal(first + 2));
  }

  @Override
  public List<Decided> decisions(String participant, long above, long upTo, int limit) {
    return database.transact(
        "read decisions",
        connection ->
            database.many(
                connection,
                """
                select serial, nonce, operation_id from ${schema}.decision
                where serial > ? and serial <= ? and participants @> array[?]::text[]
                order by serial, nonce limit ?
                """,
                row -> new Decided(row.getLong(1), row.getLong(2), row.getString(3)),
                above,
                upTo,
                participant,
                limit));
  }

  @Override
  public Optional<String> operationOf(Gid gid) {
    return database.transact(
        "read a decision",
        connection ->
            database.one(
                connection,
                "select operation_id from ${schema}.decision where serial = ? and nonce = ?",
                row -> row.getString(1),
                gid.serial(),
                gid.nonce()));
  }

  @Override
  public boolean clean(String participant, long from, long upTo, List<Heuristic> found) {
    return database.transact(
        "forget decisions",
        connection -> {
          // Of two that are cleaned at once the later one has to see how far the other is: else
          // neither would delete what both needed.
          database.many(
              connection,
              "select name from ${schema}.participant order by name for no key update",
              row -> row.getString(1));
          int moved =
              database.update(
                  connection,
                  """
                  update ${schema}.participant set cleaned = ? where name = ? and cleaned = ?
                    and ? < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
                  """,
                  upTo,
                  participant,
                  from,
                  upTo);
          if (moved == 0) {
            return false;
          }
          for (Heuristic heuristic : found) {
            record(connection, heuristic);
          }
          database.update(connection, DELETE_UNNEEDED, upTo, participant);
          return true;
        });
  }

  @Override
  public void record(Heuristic heuristic) {
    database.write("record what was found", connection -> record(connection, heuristic));
  }

  private void record(Connection connection, Heuristic heuristic) throws SQLException {
    database.update(
        connection,
        RECORD,
        heuristic.gid().text(),
        heuristic.gid().serial(),
        heuristic.gid().participant(),
        heuristic.operationId(),
        heuristic.kind().name());
  }

  @Override
  public List<Heuristic> heuristics(int limit) {
    return database.transact(
        "read heuristic outcomes",
        connection -> {
          List<Heuristic> result = new ArrayList<>();
          database.many(
              connection,
              """
              select gid, operation_id, kind, found_at, acknowledged from ${schema}.heuristic
              order by acknowledged_at is not null, found_at desc limit ?
              """,
              row -> result.add(heuristic(row)),
              limit);
          return result;
        });
  }

  private static Heuristic heuristic(ResultSet row) throws SQLException {
    return new Heuristic(
        Gid.parse(row.getString(1)).orElseThrow(),
        row.getString(2),
        Heuristic.Kind.valueOf(row.getString(3)),
        row.getTimestamp(4).toInstant(),
        row.getString(5));
  }

  @Override
  public boolean acknowledge(Gid gid, String note) {
    return database.transact(
        "acknowledge a heuristic outcome",
        connection ->
            database.update(
                    connection,
                    """
                    update ${schema}.heuristic
                    set acknowledged = ?, acknowledged_at = clock_timestamp()
                    where gid = ? and acknowledged is null
                    """,
                    note,
                    gid.text())
                > 0);
  }

  @Override
  public List<Registration> participants() {
    return database.transact(
        "read the participants",
        connection ->
            database.many(
                connection, PARTICIPANTS + " order by name", PostgresDecisions::registration));
  }

  @Override
  public Optional<Registration> participant(String name) {
    return database.transact(
        "read participant " + name,
        connection ->
            database.one(
                connection,
                PARTICIPANTS + " where name = ?",
                PostgresDecisions::registration,
                name));
  }

  private static Registration registration(ResultSet row) throws SQLException {
    return new Registration(
        row.getString("name"),
        ServerSql.read(row),
        row.getObject("claim", UUID.class),
        row.getObject("next_claim", UUID.class),
        row.getLong("cleaned"));
  }

  @Override
  public void register(Registration registration) {
    Server server = registration.server();
    database.write(
        "register participant " + registration.name(),
        connection ->
            database.update(
                connection,
                """
                insert into ${schema}.participant
                  (name, system, database, timeline, place, started, claim)
                values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing
                """,
                registration.name(),
                server.system(),
                server.database(),
                server.timeline(),
                server.place(),
                server.started(),
                registration.claim()));
  }

  @Override
  public void replace(String name, Server server) {
    database.write(
        "take another database for participant " + name,
        connection ->
            database.update(
                connection,
                """
                update ${schema}.participant
                set system = ?, database = ?, timeline = ?, place = ?, started = ?
                where name = ?
                """,
                server.system(),
                server.database(),
                server.timeline(),
                server.place(),
                server.started(),
                name));
  }

  @Override
  public UUID propose(String name, UUID current, UUID next, String started) {
    return database.transact(
        "propose a claim of participant " + name,
        connection -> {
          database.update(
              connection,
              """
              update ${schema}.participant set next_claim = ?, next_started = ?
              where name = ? and claim = ? and next_started is distinct from ?
              """,
              next,
              started,
              name,
              current,
              started);
          return database
              .one(
                  connection,
                  "select coalesce(next_claim, claim) from ${schema}.participant where name = ?",
                  row -> row.getObject(1, UUID.class),
                  name)
              .orElseThrow();
        });
  }

  @Override
  public void confirm(String name, UUID claimed) {
    database.write(
        "confirm a claim of participant " + name,
        connection ->
            database.update(
                connection,
                """
                update ${schema}.participant set claim = ?, next_claim = null, next_started = null
                where name = ? and (next_claim = ? or claim = ?)
                """,
                claimed,
                name,
                claimed,
                claimed));
  }
}
