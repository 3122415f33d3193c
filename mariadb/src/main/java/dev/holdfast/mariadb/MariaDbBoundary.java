package dev.holdfast.mariadb;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.util.List;
import java.util.Set;

/** What MariaDB offers, wherever it is. Immutable and thread-safe; asks no server. */
public final class MariaDbBoundary implements Boundary {

  @Override
  public String description() {
    return "mariadb";
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of(
        Capability.LOCAL_TRANSACTION,
        Capability.PREPARE,
        Capability.EXPECTED_VERSION,
        Capability.LOOKUP,
        Capability.COMPENSATION);
  }

  @Override
  public Acknowledgment acknowledgment() {
    return Acknowledgment.COMMITTED;
  }

  @Override
  public List<Assumption> assumptions() {
    return List.of(
        new Assumption(
            "mariadb.keeps-what-it-flushed",
            Capability.LOCAL_TRANSACTION,
            "MariaDB flushes at each commit and keeps what it has flushed: innodb_flush_log_at_trx_commit is 1, so is sync_binlog where there is a binary log, and its disks are honest.",
            Set.of()),
        new Assumption(
            "mariadb.innodb",
            Capability.PREPARE,
            "What a branch writes to is in InnoDB: other engines commit each statement at once.",
            Set.of()));
  }
}
