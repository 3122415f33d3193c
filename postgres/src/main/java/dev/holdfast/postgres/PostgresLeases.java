package dev.holdfast.postgres;

import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.LeaseStore;
import java.time.Duration;
import java.util.Optional;

/** Leases as rows; every statement here updates the row and so conflicts with fenced writers. */
final class PostgresLeases implements LeaseStore {
  /** Locks the row for update: waits for fenced writers of the old epoch to finish. */
  private static final String ACQUIRE =
      """
      insert into ${schema}.lease as l (name, owner, epoch, expires_at)
      values (?, ?, 1, ${schema}.now() + ? * interval '1 ms')
      on conflict (name) do update
        set owner = excluded.owner, epoch = l.epoch + 1, expires_at = excluded.expires_at
        where l.owner is null or l.expires_at <= ${schema}.now()
      returning epoch
      """;

  /** A look first, so that standbys do not queue up on the row's lock. */
  private static final String TAKEN =
      """
      select 1 from ${schema}.lease
      where name = ? and owner is not null and expires_at > ${schema}.now()
      """;

  private static final String RENEW =
      """
      update ${schema}.lease set expires_at = ${schema}.now() + ? * interval '1 ms'
      where name = ? and owner = ? and epoch = ?
      """;

  private static final String RELEASE =
      """
      update ${schema}.lease set owner = null, expires_at = ${schema}.now()
      where name = ? and owner = ? and epoch = ?
      """;

  private final Database database;

  PostgresLeases(Database database) {
    this.database = database;
  }

  @Override
  public Optional<Lease> tryAcquire(String name, String owner, Duration duration) {
    return database.transact(
        "acquire the lease " + name,
        connection ->
            database.one(connection, TAKEN, row -> 1, name).isPresent()
                ? Optional.empty()
                : database.one(
                    connection,
                    ACQUIRE,
                    row -> new Lease(name, owner, row.getLong(1)),
                    name,
                    owner,
                    duration.toMillis()));
  }

  /**
   * As durable as the session's default is: a renewal that a crash of the database takes back lets
   * the lease end sooner, and what fences is the epoch.
   */
  @Override
  public boolean renew(Lease lease, Duration duration) {
    return database.updateAlone(
            "renew the lease " + lease.name(),
            RENEW,
            duration.toMillis(),
            lease.name(),
            lease.owner(),
            lease.epoch())
        > 0;
  }

  @Override
  public void release(Lease lease) {
    database.updateAlone(
        "release the lease " + lease.name(), RELEASE, lease.name(), lease.owner(), lease.epoch());
  }
}
