package dev.holdfast.postgres;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.projection.store.ProjectionStatus;
import dev.holdfast.projection.store.ProjectionStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Checkpoints as rows, each of which is updated by whoever finds it where it was. */
final class PostgresProjections implements ProjectionStore {
  private static final String APPLIED =
      """
      select coalesce(min(checkpoint), 0) from ${schema}.projection_slot
      where name = ? and version = ?
      """;

  private final Database database;

  PostgresProjections(Database database) {
    this.database = database;
  }

  @Override
  public int register(Version version, int slots) {
    return database.transact(
        "make the projection " + version + " known",
        connection -> {
          register(connection, version, slots);
          return live(connection, version.name());
        });
  }

  @Override
  public boolean register(Connection connection, Version version, int slots) throws SQLException {
    boolean isFirst =
        database.update(
                connection,
                "insert into ${schema}.projection (name, live) values (?, ?) on conflict do nothing",
                version.name(),
                version.version())
            > 0;
    database.update(
        connection,
        """
        insert into ${schema}.projection_version (name, version, slots) values (?, ?, ?)
        on conflict do nothing
        """,
        version.name(),
        version.version(),
        slots);
    int known =
        database
            .one(
                connection,
                "select slots from ${schema}.projection_version where name = ? and version = ?",
                row -> row.getInt(1),
                version.name(),
                version.version())
            .orElseThrow();
    if (known != slots) {
      throw new InvalidConfiguration(
          "The projection %s has %d slots, and is to have %d: keys would change their slots. Nothing was started. Choose the same number, or raise the version."
              .formatted(version, known, slots));
    }
    database.update(
        connection,
        """
        insert into ${schema}.projection_slot (name, version, slot)
        select ?, ?, generate_series(0, ? - 1) on conflict do nothing
        """,
        version.name(),
        version.version(),
        slots);
    return isFirst;
  }

  @Override
  public int live(String name) {
    return database.transact(
        "look which version of a projection is live", connection -> live(connection, name));
  }

  private int live(Connection connection, String name) throws SQLException {
    return database
        .one(
            connection,
            "select live from ${schema}.projection where name = ?",
            row -> row.getInt(1),
            name)
        .orElse(0);
  }

  @Override
  public Slot slot(Version version, int slot) {
    return database.transact(
        "read where a projection is",
        connection ->
            database
                .one(
                    connection,
                    """
                    select checkpoint, generation from ${schema}.projection_slot
                    where name = ? and version = ? and slot = ?
                    """,
                    row -> new Slot(row.getLong(1), row.getLong(2)),
                    version.name(),
                    version.version(),
                    slot)
                .orElseThrow());
  }

  @Override
  public boolean advance(Connection connection, Version version, int slot, Slot from, long to)
      throws SQLException {
    return database.update(
            connection,
            """
            update ${schema}.projection_slot set checkpoint = ?, changed_at = ${schema}.now()
            where name = ? and version = ? and slot = ? and checkpoint = ? and generation = ?
            """,
            to,
            version.name(),
            version.version(),
            slot,
            from.checkpoint(),
            from.generation())
        > 0;
  }

  @Override
  public Set<String> parkedKeys(Version version, int slot) {
    return database.transact(
        "read what a projection has parked",
        connection ->
            new HashSet<>(
                database.many(
                    connection,
                    """
                    select key from ${schema}.projection_parked
                    where name = ? and version = ? and slot = ?
                    """,
                    row -> row.getString(1),
                    version.name(),
                    version.version(),
                    slot)));
  }

  @Override
  public void park(
      Connection connection, Version version, int slot, String key, long position, String reason)
      throws SQLException {
    database.update(
        connection,
        """
        insert into ${schema}.projection_parked (name, version, key, slot, position, reason)
        values (?, ?, ?, ?, ?, ?)
        """,
        version.name(),
        version.version(),
        key,
        slot,
        position,
        reason);
  }

  @Override
  public List<Parked> parked(Version version, int limit) {
    return database.transact(
        "list what a projection has parked",
        connection ->
            database.many(
                connection,
                """
                select key, slot, position, reason, since, released from ${schema}.projection_parked
                where name = ? and version = ? order by since, key limit ?
                """,
                row ->
                    new Parked(
                        row.getString(1),
                        row.getInt(2),
                        row.getLong(3),
                        row.getString(4),
                        row.getTimestamp(5).toInstant(),
                        row.getBoolean(6)),
                version.name(),
                version.version(),
                limit));
  }

  @Override
  public Slot lock(Connection connection, Version version, int slot) throws SQLException {
    return database
        .one(
            connection,
            """
            update ${schema}.projection_slot set generation = generation + 1
            where name = ? and version = ? and slot = ? returning checkpoint, generation
            """,
            row -> new Slot(row.getLong(1), row.getLong(2)),
            version.name(),
            version.version(),
            slot)
        .orElseThrow();
  }

  @Override
  public long unpark(Connection connection, Version version, String key) throws SQLException {
    return database
        .one(
            connection,
            """
            delete from ${schema}.projection_parked where name = ? and version = ? and key = ?
            returning position
            """,
            row -> row.getLong(1),
            version.name(),
            version.version(),
            key)
        .orElse(0L);
  }

  @Override
  public boolean release(Version version, String key) {
    return database.updateAlone(
            "release what is parked of a key",
            """
            update ${schema}.projection_parked set released = true
            where name = ? and version = ? and key = ?
            """,
            version.name(),
            version.version(),
            key)
        > 0;
  }

  @Override
  public int releaseAll(Version version) {
    return database.updateAlone(
        "release what is parked",
        """
        update ${schema}.projection_parked set released = true where name = ? and version = ?
        """,
        version.name(),
        version.version());
  }

  @Override
  public List<String> released(Version version, int slot) {
    return database.transact(
        "see which keys are to be replayed",
        connection ->
            database.many(
                connection,
                """
                select key from ${schema}.projection_parked
                where name = ? and version = ? and slot = ? and released
                order by since, key limit 100
                """,
                row -> row.getString(1),
                version.name(),
                version.version(),
                slot));
  }

  @Override
  public void refuse(Version version, String key, String reason) {
    database.updateAlone(
        "say why a key was not replayed",
        """
        update ${schema}.projection_parked set released = false, reason = ?
        where name = ? and version = ? and key = ?
        """,
        reason,
        version.name(),
        version.version(),
        key);
  }

  @Override
  public List<ProjectionStatus> statuses() {
    return database.transact(
        "see how far projections are",
        connection -> new ProjectionStatusRead(database).all(connection));
  }

  @Override
  public Optional<ProjectionStatus> status(Version version) {
    return database.transact(
        "see how far a projection is",
        connection -> new ProjectionStatusRead(database).one(connection, version));
  }

  @Override
  public long applied(Version version) {
    return database.transact(
        "read how far a projection is", connection -> applied(connection, version));
  }

  private long applied(Connection connection, Version version) throws SQLException {
    return database
        .one(connection, APPLIED, row -> row.getLong(1), version.name(), version.version())
        .orElse(0L);
  }

  @Override
  public long applied(Version version, int slot) {
    return slot(version, slot).checkpoint();
  }

  private boolean hasParkedMore(Connection connection, Version version, int live)
      throws SQLException {
    return database
        .one(
            connection,
            """
            select exists (
              select key from ${schema}.projection_parked where name = ? and version = ?
              except
              select key from ${schema}.projection_parked where name = ? and version = ?)
            """,
            row -> row.getBoolean(1),
            version.name(),
            version.version(),
            version.name(),
            live)
        .orElseThrow();
  }

  @Override
  public boolean switchTo(Connection connection, Version version) throws SQLException {
    int live =
        database
            .one(
                connection,
                "select live from ${schema}.projection where name = ? for no key update",
                row -> row.getInt(1),
                version.name())
            .orElse(0);
    // Whoever waits for the live one must not be told of what this one has not: it moves on behind
    // the commit.
    database.many(
        connection,
        """
        select slot from ${schema}.projection_slot where name = ? and version = ?
        order by slot for share
        """,
        row -> row.getInt(1),
        version.name(),
        live);
    if (live >= version.version()
        || applied(connection, version) < applied(connection, new Version(version.name(), live))
        || hasParkedMore(connection, version, live)) {
      return false;
    }
    database.update(
        connection,
        "update ${schema}.projection set live = ? where name = ?",
        version.version(),
        version.name());
    return true;
  }
}
