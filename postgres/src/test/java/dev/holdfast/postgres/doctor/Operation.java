package dev.holdfast.postgres.doctor;

import dev.holdfast.Holdfast;
import dev.holdfast.Isolation;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.twophase.store.DecisionStore.Decision;
import dev.holdfast.twophase.store.Gid;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** An operation across two databases, by hand, that has prepared and whose owner does no more. */
final class Operation implements AutoCloseable {
  private final Connection deciding;
  final Gid gid;
  final int pid;

  /** Registers and claims the participant, as the first operation of a process does. */
  static Participant takePart(Clinic orders, Clinic ledger) {
    Participant participant = Participant.of("ledger", ledger.dataSource);
    try (Holdfast holdfast =
        Holdfast.on(orders.dataSource).participant(participant).manual().holdfast()) {
      holdfast.twoPhase().recover();
    }
    return participant;
  }

  Operation(Clinic orders, Participant ledger, String id) throws SQLException {
    DecisionStore decisions = orders.store.decisions();
    BranchStore branches = ledger.branches();
    deciding = orders.connect();
    decisions.begin(deciding, Isolation.READ_COMMITTED, Duration.ofSeconds(5));
    try (Statement statement = deciding.createStatement();
        ResultSet row = statement.executeQuery("select pg_backend_pid()")) {
      row.next();
      pid = row.getInt(1);
    }
    long nonce = ThreadLocalRandom.current().nextLong();
    long serial =
        decisions.decide(
            deciding,
            new Decision(nonce, List.of(ledger.name()), id, Duration.ofMinutes(5), false),
            List.of());
    gid = new Gid(decisions.identity().storeId(), serial, nonce, ledger.name());
    try (Connection other = branches.connect()) {
      branches.begin(other, null, Isolation.READ_COMMITTED, Duration.ofSeconds(5));
      branches.prepare(other, gid, id, decisions.participant(ledger.name()).orElseThrow().claim());
    }
  }

  /** It dies behind the decision. */
  Operation decided() throws SQLException {
    try (deciding) {
      deciding.commit();
    }
    return this;
  }

  /** It dies in front of it. */
  Operation undecided() throws SQLException {
    try (deciding) {
      deciding.rollback();
    }
    return this;
  }

  @Override
  public void close() throws SQLException {
    deciding.close();
  }
}
