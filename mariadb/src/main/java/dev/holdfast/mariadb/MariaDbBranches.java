package dev.holdfast.mariadb;

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
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A MariaDB database that prepares; see the package for what that rests on. */
final class MariaDbBranches implements BranchStore {
  /**
   * InnoDB's own: 128 rollback segments of 1,024 places each. A branch holds a connection as well,
   * until it is ended or left to others.
   */
  private static final int SLOTS = 128 * 1024;

  private final Database database;
  private final Witnesses witnesses;
  private final ClaimTable claims;
  private final Attempts attempts;
  private final ServerCheck server;

  MariaDbBranches(Database database) {
    this.database = database;
    this.witnesses = new Witnesses(database);
    this.claims = new ClaimTable(database);
    this.attempts = new Attempts(database);
    this.server = new ServerCheck(database);
  }

  @Override
  public String description() {
    return "mariadb " + server.place();
  }

  @Override
  public Boundary boundary() {
    return new MariaDbBoundary();
  }

  @Override
  public SchemaManager schema() {
    return new MariaDbSchema(database);
  }

  @Override
  public void verify() {
    server.verify();
  }

  @Override
  public Server server() {
    return server.server();
  }

  @Override
  public int slots() {
    return SLOTS;
  }

  @Override
  public Connection connect() throws SQLException {
    return database.connect();
  }

  @Override
  public boolean namesAtBegin() {
    return true;
  }

  @Override
  public boolean endsWhereItWasPrepared() {
    return true;
  }

  @Override
  public void begin(
      Connection connection, @Nullable Gid gid, Isolation isolation, Duration lockTimeout)
      throws SQLException {
    // Otherwise whatever is read before XA START would open a transaction, in which it is refused.
    connection.setAutoCommit(true);
    database.execute(connection, BranchSql.begin(named(gid), isolation, lockTimeout));
  }

  /** MariaDB tells its administrators alone, and a tenth of a second late. */
  @Override
  public boolean hasWritten(Connection connection) {
    return true;
  }

  @Override
  public void prepare(Connection connection, Gid gid, String operationId, UUID claim)
      throws SQLException {
    try {
      database.execute(connection, BranchSql.prepare(gid, operationId, claim));
    } catch (SQLException e) {
      switch (SqlErrors.state(e)) {
        case BranchSql.STALE_CLAIM -> throw new StaleClaim(e);
        case BranchSql.SERIALIZABLE -> prepareSerializable(connection, gid, operationId, claim, e);
        default -> throw e;
      }
    }
  }

  /** The claim is read by another connection, which leaves no lock. */
  private void prepareSerializable(
      Connection connection, Gid gid, String operationId, UUID claim, SQLException cause)
      throws SQLException {
    if (!claims.isPreparedUnder(gid.storeId(), gid.participant(), claim, gid.serial())) {
      throw new StaleClaim(new SQLException(BranchSql.STALE, BranchSql.STALE_CLAIM, cause));
    }
    database.execute(connection, BranchSql.prepareUnchecked(gid, operationId));
  }

  @Override
  public void rollback(Connection connection, @Nullable Gid gid) throws SQLException {
    database.execute(connection, BranchSql.rollback(named(gid)));
  }

  @Override
  public void commitAlone(
      Connection connection, @Nullable Gid gid, Attempt attempt, String operationId)
      throws SQLException {
    database.execute(connection, BranchSql.commitAlone(named(gid), attempt, operationId));
  }

  private static Gid named(@Nullable Gid gid) {
    return Objects.requireNonNull(gid, "In MariaDB a branch is named when it begins.");
  }

  @Override
  public Outcome resolve(Attempt attempt) {
    return attempts.resolve(attempt);
  }

  @Override
  public Finish commitPrepared(Connection connection, Gid gid) throws SQLException {
    return end(connection, gid, true);
  }

  @Override
  public Finish rollbackPrepared(Connection connection, Gid gid) throws SQLException {
    return end(connection, gid, false);
  }

  private Finish end(Connection connection, Gid gid, boolean commit) throws SQLException {
    try {
      database.execute(connection, BranchSql.end(gid, commit));
      return Finish.DONE;
    } catch (SQLException e) {
      return switch (SqlErrors.state(e)) {
        // The same answer when there is none, and when another connection has it.
        case SqlErrors.UNKNOWN_XID ->
            witnesses.isPrepared(connection, gid) ? Finish.HELD : Finish.NOT_PREPARED;
        case SqlErrors.XA_ROLLED_BACK -> commit ? Finish.NOT_PREPARED : Finish.DONE;
        default -> throw e;
      };
    }
  }

  @Override
  public List<PreparedBranch> prepared(UUID storeId, String participant, boolean withLocks) {
    return witnesses.prepared(storeId, participant);
  }

  @Override
  public Set<Gid> witnessed(Collection<Gid> gids) {
    return witnesses.witnessed(gids);
  }

  @Override
  public Digest digest(UUID storeId, String participant, long above, long upTo) {
    return witnesses.digest(storeId, participant, above, upTo);
  }

  @Override
  public List<Witness> witnesses(
      UUID storeId, String participant, long above, long upTo, int limit) {
    return witnesses.read(storeId, participant, above, upTo, limit);
  }

  /** And old attempts: this is called every few seconds by whoever looks after the participant. */
  @Override
  public void forget(UUID storeId, String participant, long upTo) {
    witnesses.forget(storeId, participant, upTo);
    attempts.forget();
  }

  @Override
  public long forgotten(UUID storeId, String participant) {
    return witnesses.forgotten(storeId, participant);
  }

  @Override
  public boolean refuse(UUID storeId, String participant, UUID claim, long upTo) {
    return claims.refuse(storeId, participant, claim, upTo);
  }

  @Override
  public Optional<Claim> claim(UUID storeId, String participant) {
    return claims.read(storeId, participant);
  }

  @Override
  public boolean claim(UUID storeId, String participant, @Nullable UUID expected, Claim next) {
    return claims.claim(storeId, participant, expected, next);
  }

  @Override
  public boolean isRetryable(SQLException error) {
    return SqlErrors.isRetryable(error);
  }

  @Override
  public boolean isReplyLost(SQLException error) {
    return SqlErrors.isReplyLost(error);
  }

  @Override
  public RuntimeException translate(String doing, SQLException error) {
    return SqlErrors.translate(doing, error);
  }

  @Override
  public String statement(Gid gid, boolean commit) {
    return BranchSql.statement(gid, commit);
  }
}
