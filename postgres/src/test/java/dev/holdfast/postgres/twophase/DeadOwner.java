package dev.holdfast.postgres.twophase;

import dev.holdfast.Isolation;
import dev.holdfast.postgres.PostgresStore;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.twophase.store.DecisionStore.Decision;
import dev.holdfast.twophase.store.Gid;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** Runs an operation by hand, as far as its process came before it died. */
final class DeadOwner implements AutoCloseable {
  private final DecisionStore decisions;
  private final BranchStore branches;
  private final String id;
  private final Connection deciding;
  private final Gid gid;

  /** Has prepared {@code id} in the ledger; its deciding transaction is open. */
  DeadOwner(TwoDatabases databases, Participant ledger, String id) throws SQLException {
    this.id = id;
    this.decisions = PostgresStore.open(databases.orders, "holdfast").decisions();
    this.branches = ledger.branches();
    this.deciding = databases.orders.getConnection();
    decisions.begin(deciding, Isolation.READ_COMMITTED, Duration.ofSeconds(1));
    insert(deciding);
    long nonce = ThreadLocalRandom.current().nextLong();
    long serial =
        decisions.decide(
            deciding,
            new Decision(nonce, List.of(ledger.name()), "of " + id, Duration.ofMinutes(5), false),
            List.of());
    gid = new Gid(decisions.identity().storeId(), serial, nonce, ledger.name());
    try (Connection other = branches.connect()) {
      branches.begin(other, null, Isolation.READ_COMMITTED, Duration.ofSeconds(1));
      insert(other);
      branches.prepare(
          other, gid, "of " + id, decisions.participant(ledger.name()).orElseThrow().claim());
    }
  }

  Gid gid() {
    return gid;
  }

  private void insert(Connection connection) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("insert into entry (id) values (?)")) {
      statement.setString(1, id);
      statement.executeUpdate();
    }
  }

  /** Dies behind the decision. */
  DeadOwner afterCommitting() throws SQLException {
    try (deciding) {
      deciding.commit();
    }
    return this;
  }

  /** Dies before it; the database has noticed. */
  DeadOwner beforeCommitting() throws SQLException {
    try (deciding) {
      deciding.rollback();
    }
    return this;
  }

  /** Wakes up, and tries to decide. */
  boolean decides() {
    try {
      deciding.commit();
      return true;
    } catch (SQLException e) {
      return false;
    }
  }

  @Override
  public void close() throws SQLException {
    if (!deciding.isClosed()) {
      beforeCommitting();
    }
  }
}
