package dev.holdfast.postgres;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Isolation;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.outbox.store.Attempt;
import dev.holdfast.outbox.store.SchemaManager;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.Claim;
import dev.holdfast.twophase.store.Digest;
import dev.holdfast.twophase.store.Finish;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.PreparedBranch;
import dev.holdfast.twophase.store.Server;
import dev.holdfast.twophase.store.StaleClaim;
import java.sql.Array;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL database that prepares. By SQL of our own and not through the driver's XA, which
 * reports a branch that it has prepared as read-only, and a failure to prepare as heuristic.
 */
final class PostgresBranches implements BranchStore {
  /** As text: it is sent with the name, and so is never the same, and is not to be cached. */
  private static final String PREPARE =
      "select ${schema}.witness('%s', '%s', '%d', '%d', %s, '%s'); prepare transaction '%s'";

  private static final String STALE_CLAIM = "HF010";
  static final String NO_LOCK_TIMEOUT = "HF011";

  private static final String PREPARED =
      """
      select p.gid, p.owner,
             greatest(extract(epoch from clock_timestamp() - p.prepared), 0) * 1000 as age_ms,
             case when ? then (select count(*) from pg_locks l
                               where l.pid is null and l.virtualtransaction in
                                 (select own.virtualtransaction from pg_locks own
                                  where own.pid is null and own.locktype = 'transactionid'
                                    and own.transactionid = p.transaction
                                    and own.mode = 'ExclusiveLock'))
                  else -1 end as locks
      from pg_prepared_xacts p
      where p.database = current_database() and starts_with(p.gid, ?)
        and right(p.gid, length(?)) = ?
      order by p.prepared
      """;

  private static final String WITNESSED =
      """
      select w.serial, w.nonce from ${schema}.witness w
      join unnest(?, ?) as asked(serial, nonce) on asked.serial = w.serial and asked.nonce = w.nonce
      where w.store_id = ? and w.participant = ?
      """;

  private static final String DIGEST =
      """
      select count(*), coalesce(sum(serial), 0), coalesce(sum(nonce), 0) from ${schema}.witness
      where store_id = ? and participant = ? and serial > ? and serial <= ?
      """;

  private static final String WITNESSES =
      """
      select serial, nonce, operation_id from ${schema}.witness
      where store_id = ? and participant = ? and serial > ? and serial <= ?
      order by serial, nonce limit ?
      """;

  /** In one commit, and without one when there is nothing to do. */
  private static final String FORGET =
      """
      with forgotten as (
        update ${schema}.claim set forgotten = ?
        where store_id = ? and participant = ? and forgotten < ?)
      delete from ${schema}.witness where store_id = ? and participant = ? and serial <= ?
      """;

  private static final String CLAIM =
      """
      select token, previous, previous_started, system, database, timeline, place, started,
             ceil(greatest(extract(epoch from settles_at - clock_timestamp()), 0) * 1000)::bigint
               as settles_in_ms
      from ${schema}.claim where store_id = ? and participant = ?
      """;

  private static final String CLAIM_FIRST =
      """
      insert into ${schema}.claim (store_id, participant, token, previous, previous_started,
                                   system, database, timeline, place, started, settles_at)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, clock_timestamp() + ? * interval '1 millisecond')
      on conflict do nothing
      """;

  private static final String CLAIM_AGAIN =
      """
      update ${schema}.claim
      set token = ?, previous = ?, previous_started = ?,
          system = ?, database = ?, timeline = ?, place = ?, started = ?,
          settles_at = clock_timestamp() + ? * interval '1 millisecond',
          claimed_at = clock_timestamp(), refused = 0
      where store_id = ? and participant = ? and token = ?
      """;

  private static final String REFUSE =
      """
      update ${schema}.claim set refused = greatest(refused, ?)
      where store_id = ? and participant = ? and token = ?
      """;

  private static final String IN_A_TRANSACTION = "25001"; // active_sql_transaction

  private final Database database;
  private final PostgresWriter writer;
  private final Branches branches = new Branches();
  private volatile boolean refusesPipelines;

  PostgresBranches(DataSource dataSource, SchemaName schema) {
    this.database = new Database(dataSource, schema);
    this.writer = new PostgresWriter(database);
  }

  @Override
  public String description() {
    Server server = server();
    return "postgresql " + server.place();
  }

  @Override
  public Boundary boundary() {
    return new PostgresBoundary();
  }

  @Override
  public SchemaManager schema() {
    return new PostgresSchema(database);
  }

  @Override
  public void verify() {
    if (slots() == 0) {
      throw new InvalidConfiguration(
          "The participant (%s) cannot prepare: its max_prepared_transactions is 0, as PostgreSQL's default is. Nothing was started. Set it to at least the number of operations that run at the same time, twice that is better, and restart that server; a standby needs at least the same."
              .formatted(description()));
    }
    Rights.ofAParticipant(database);
  }

  @Override
  public int slots() {
    return database.transact(
        "read max_prepared_transactions",
        connection ->
            database
                .one(
                    connection,
                    "select current_setting('max_prepared_transactions')::integer",
                    row -> row.getInt(1))
                .orElseThrow());
  }

  @Override
  public Server server() {
    return database.transact(
        "read which server this is",
        connection ->
            database.one(connection, "select " + ServerSql.COLUMNS, ServerSql::read).orElseThrow());
  }

  @Override
  public Connection connect() throws SQLException {
    return database.dataSource().getConnection();
  }

  @Override
  public boolean namesAtBegin() {
    return false;
  }

  @Override
  public boolean endsWhereItWasPrepared() {
    return false;
  }

  @Override
  public void begin(
      Connection connection, @Nullable Gid gid, Isolation isolation, Duration lockTimeout)
      throws SQLException {
    branches.begin(connection, isolation, lockTimeout);
  }

  @Override
  public boolean hasWritten(Connection connection) throws SQLException {
    return Branches.hasWritten(connection);
  }

  @Override
  public void prepare(Connection connection, Gid gid, String operationId, UUID claim)
      throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(prepare(gid, operationId, claim));
    } catch (SQLException e) {
      if (SqlErrors.state(e).equals(STALE_CLAIM)) {
        throw new StaleClaim(e);
      }
      if (SqlErrors.state(e).equals(NO_LOCK_TIMEOUT)) {
        branches.distrustDefaults();
      }
      throw e;
    }
    connection.setAutoCommit(true);
  }

  private String prepare(Gid gid, String operationId, UUID claim) {
    return database
        .schema()
        .in(PREPARE)
        .formatted(
            gid.storeId(),
            gid.participant(),
            gid.serial(),
            gid.nonce(),
            literal(operationId),
            claim,
            gid.text());
  }

  /** Whatever the session takes a backslash for. */
  private static String literal(String text) {
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'";
  }

  @Override
  public void rollback(Connection connection, @Nullable Gid gid) throws SQLException {
    connection.rollback();
    connection.setAutoCommit(true);
  }

  @Override
  public void commitAlone(
      Connection connection, @Nullable Gid gid, Attempt attempt, String operationId)
      throws SQLException {
    writer.commit(connection, attempt, operationId, List.of());
    connection.setAutoCommit(true);
  }

  @Override
  public Outcome resolve(Attempt attempt) {
    return writer.resolve(attempt);
  }

  @Override
  public Finish commitPrepared(Connection connection, Gid gid) throws SQLException {
    return finish(connection, statement(gid, true));
  }

  /**
   * Sent as a pipeline. Each statement in it is a transaction of its own, and the server says so by
   * an error where it is not: where the driver sends all as one simple query.
   */
  @Override
  public boolean commitTogether(Connection connection, List<Gid> gids) throws SQLException {
    if (refusesPipelines) {
      return false;
    }
    connection.setAutoCommit(true);
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          gids.stream().map(gid -> statement(gid, true)).collect(Collectors.joining("; ")));
      return true;
    } catch (SQLException e) {
      if (isReplyLost(e)) {
        throw e;
      }
      refusesPipelines |= SqlErrors.state(e).equals(IN_A_TRANSACTION);
      return false;
    }
  }

  @Override
  public Finish rollbackPrepared(Connection connection, Gid gid) throws SQLException {
    return finish(connection, statement(gid, false));
  }

  private static Finish finish(Connection connection, String sql) throws SQLException {
    connection.setAutoCommit(true);
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
      return Finish.DONE;
    } catch (SQLException e) {
      return switch (SqlErrors.state(e)) {
        case "42704" -> Finish.NOT_PREPARED; // undefined_object
        case "55000" -> Finish.HELD; // somebody is ending it right now
        default -> throw e;
      };
    }
  }

  @Override
  public String statement(Gid gid, boolean commit) {
    return (commit ? "commit" : "rollback") + " prepared '" + gid.text() + "'";
  }

  @Override
  public List<PreparedBranch> prepared(UUID storeId, String participant, boolean withLocks) {
    String ending = ":" + participant;
    return database.transact(
        "read what is prepared",
        connection ->
            database
                .many(
                    connection,
                    PREPARED,
                    PostgresBranches::branch,
                    withLocks,
                    Gid.prefix(storeId),
                    ending,
                    ending)
                .stream()
                .flatMap(Optional::stream)
                .toList());
  }

  /** Empty for what only looks like one of ours. */
  private static Optional<PreparedBranch> branch(ResultSet row) throws SQLException {
    Optional<Gid> gid = Gid.parse(row.getString("gid"));
    if (gid.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new PreparedBranch(
            gid.get(),
            Duration.ofMillis((long) row.getDouble("age_ms")),
            row.getString("owner"),
            row.getLong("locks")));
  }

  @Override
  public Set<Gid> witnessed(Collection<Gid> gids) {
    Set<Gid> result = new HashSet<>();
    if (gids.isEmpty()) {
      return result;
    }
    Gid any = gids.iterator().next();
    Object[] serials = gids.stream().map(Gid::serial).toArray();
    Object[] nonces = gids.stream().map(Gid::nonce).toArray();
    database.write(
        "read witnesses",
        connection -> {
          Array serialArray = connection.createArrayOf("bigint", serials);
          Array nonceArray = connection.createArrayOf("bigint", nonces);
          database.many(
              connection,
              WITNESSED,
              row ->
                  result.add(
                      new Gid(any.storeId(), row.getLong(1), row.getLong(2), any.participant())),
              serialArray,
              nonceArray,
              any.storeId(),
              any.participant());
        });
    return result;
  }

  @Override
  public Digest digest(UUID storeId, String participant, long above, long upTo) {
    return database.transact(
        "compare witnesses",
        connection ->
            database
                .one(
                    connection,
                    DIGEST,
                    row -> PostgresDecisions.digest(row, 1),
                    storeId,
                    participant,
                    above,
                    upTo)
                .orElseThrow());
  }

  @Override
  public List<Witness> witnesses(
      UUID storeId, String participant, long above, long upTo, int limit) {
    return database.transact(
        "read witnesses",
        connection ->
            database.many(
                connection,
                WITNESSES,
                row -> new Witness(row.getLong(1), row.getLong(2), row.getString(3)),
                storeId,
                participant,
                above,
                upTo,
                limit));
  }

  @Override
  public void forget(UUID storeId, String participant, long upTo) {
    database.write(
        "forget witnesses",
        connection ->
            database.update(
                connection, FORGET, upTo, storeId, participant, upTo, storeId, participant, upTo));
  }

  @Override
  public long forgotten(UUID storeId, String participant) {
    return database.transact(
        "read which witnesses are forgotten",
        connection ->
            database
                .one(
                    connection,
                    "select forgotten from ${schema}.claim where store_id = ? and participant = ?",
                    row -> row.getLong(1),
                    storeId,
                    participant)
                .orElse(0L));
  }

  @Override
  public boolean refuse(UUID storeId, String participant, UUID claim, long upTo) {
    return database.transact(
        "refuse what is over",
        connection -> database.update(connection, REFUSE, upTo, storeId, participant, claim) == 1);
  }

  @Override
  public Optional<Claim> claim(UUID storeId, String participant) {
    return database.transact(
        "read who has claimed this participant",
        connection ->
            database.one(
                connection,
                CLAIM,
                row ->
                    new Claim(
                        row.getObject("token", UUID.class),
                        row.getObject("previous", UUID.class),
                        row.getString("previous_started"),
                        ServerSql.read(row),
                        Duration.ofMillis(row.getLong("settles_in_ms"))),
                storeId,
                participant));
  }

  @Override
  public boolean claim(UUID storeId, String participant, @Nullable UUID expected, Claim next) {
    Server holder = next.holder();
    long settlesIn = next.settlesIn().toMillis();
    return database.transact(
        "claim this participant",
        connection ->
            (expected == null
                    ? database.update(
                        connection,
                        CLAIM_FIRST,
                        storeId,
                        participant,
                        next.token(),
                        next.previous(),
                        next.previousStarted(),
                        holder.system(),
                        holder.database(),
                        holder.timeline(),
                        holder.place(),
                        holder.started(),
                        settlesIn)
                    : database.update(
                        connection,
                        CLAIM_AGAIN,
                        next.token(),
                        next.previous(),
                        next.previousStarted(),
                        holder.system(),
                        holder.database(),
                        holder.timeline(),
                        holder.place(),
                        holder.started(),
                        settlesIn,
                        storeId,
                        participant,
                        expected))
                == 1);
  }

  @Override
  public boolean isRetryable(SQLException error) {
    return Branches.isRetryable(error);
  }

  @Override
  public boolean isReplyLost(SQLException error) {
    return SqlErrors.isConnectionLost(error);
  }

  @Override
  public RuntimeException translate(String doing, SQLException error) {
    return SqlErrors.translate(doing, error);
  }
}
