package dev.holdfast.postgres;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.util.List;
import java.util.Set;

/** What PostgreSQL offers, wherever it is. Immutable and thread-safe; asks no server. */
public final class PostgresBoundary implements Boundary {

  @Override
  public String description() {
    return "postgresql";
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
            "postgresql.keeps-what-it-flushed",
            Capability.LOCAL_TRANSACTION,
            "PostgreSQL keeps what it has flushed: fsync and full_page_writes are on, and its disks are honest.",
            Set.of("database.fsync", "database.full-page-writes")),
        new Assumption(
            "postgresql.waits-for-the-disk",
            null,
            "Sessions commit with synchronous_commit on.",
            Set.of("database.synchronous-commit")),
        new Assumption(
            "postgresql.clocks-agree",
            Capability.LOOKUP,
            "The clocks of the database and of its clients are less than half an hour apart.",
            Set.of("database.clock")),
        new Assumption(
            "postgresql.primary",
            Capability.LOCAL_TRANSACTION,
            "The server is a primary.",
            Set.of("database.primary")));
  }
}
