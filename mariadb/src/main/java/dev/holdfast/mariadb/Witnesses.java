package dev.holdfast.mariadb;

import dev.holdfast.twophase.store.BranchStore.Witness;
import dev.holdfast.twophase.store.Digest;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.PreparedBranch;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What is prepared, and the rows that tell that it was committed. Thread-safe. */
final class Witnesses {
  private static final int AT_ONCE = 200;

  /** Of one store and participant, by serial and nonce; completed by conditions on the two. */
  private static final String OF =
      " from ${prefix}_witness where store_id = ? and participant = ? and (";

  private final Database database;

  Witnesses(Database database) {
    this.database = database;
  }

  private record Trace(Duration age, String owner) {}

  List<PreparedBranch> prepared(UUID storeId, String participant) {
    return database.onConnection(
        "read what is prepared",
        connection -> {
          List<Gid> gids =
              database.many(connection, "xa recover", Witnesses::gid).stream()
                  .flatMap(Optional::stream)
                  .filter(gid -> gid.storeId().equals(storeId))
                  .filter(gid -> gid.participant().equals(participant))
                  .toList();
          Map<Gid, Trace> traces = new HashMap<>();
          for (List<Gid> some : batches(gids)) {
            traces(connection, some, traces);
          }
          List<PreparedBranch> result = new ArrayList<>();
          for (Gid gid : gids) {
            Trace trace = traces.getOrDefault(gid, new Trace(Duration.ZERO, ""));
            result.add(new PreparedBranch(gid, trace.age(), trace.owner(), -1));
          }
          result.sort(Comparator.comparing(PreparedBranch::age).reversed());
          return result;
        });
  }

  /** Whether a branch is prepared, by whatever connection. */
  boolean isPrepared(Connection connection, Gid gid) throws SQLException {
    return database.many(connection, "xa recover", Witnesses::gid).stream()
        .flatMap(Optional::stream)
        .anyMatch(gid::equals);
  }

  /** Empty for what is not ours, which may consist of any bytes. */
  private static Optional<Gid> gid(ResultSet row) throws SQLException {
    if (row.getLong("formatID") != BranchSql.FORMAT_ID) {
      return Optional.empty();
    }
    String both = new String(row.getBytes("data"), StandardCharsets.ISO_8859_1);
    int global = row.getInt("gtrid_length");
    return global > both.length()
        ? Optional.empty()
        : Gid.parse(both.substring(0, global) + ":" + both.substring(global));
  }

  /**
   * The witness of a branch that is prepared is not committed, and is read nevertheless: for its
   * age and owner, which nothing is decided by but when to ask and what to show.
   */
  private void traces(Connection connection, List<Gid> gids, Map<Gid, Trace> into)
      throws SQLException {
    // For the next transaction, which is the next statement.
    database.execute(connection, "set transaction isolation level read uncommitted");
    String columns =
        "select serial, nonce, prepared_by,"
            + " timestampdiff(microsecond, prepared_at, utc_timestamp(6))";
    forEach(
        connection,
        columns,
        gids,
        row -> {
          long age = Math.max(0, row.getLong(4));
          into.put(gid(gids, row), new Trace(Duration.ofNanos(age * 1_000), row.getString(3)));
        });
  }

  /** Those that are committed, and flushed. */
  Set<Gid> witnessed(Collection<Gid> gids) {
    if (gids.isEmpty()) {
      return Set.of();
    }
    return database.onConnection(
        "read witnesses",
        connection -> {
          Set<Gid> found = new HashSet<>();
          for (List<Gid> some : batches(List.copyOf(gids))) {
            forEach(connection, "select serial, nonce", some, row -> found.add(gid(some, row)));
          }
          if (!found.isEmpty()) {
            database.flush(connection);
          }
          return found;
        });
  }

  /** What is done with a row. */
  @FunctionalInterface
  private interface Use {
    void accept(ResultSet row) throws SQLException;
  }

  private void forEach(Connection connection, String columns, List<Gid> gids, Use use)
      throws SQLException {
    Gid any = gids.get(0);
    List<@Nullable Object> parameters = new ArrayList<>();
    parameters.add(any.storeId());
    parameters.add(any.participant());
    for (Gid gid : gids) {
      parameters.add(gid.serial());
      parameters.add(gid.nonce());
    }
    String which =
        gids.stream()
            .map(gid -> "(serial = ? and nonce = ?)")
            .collect(Collectors.joining(" or ", columns + OF, ")"));
    try (PreparedStatement statement = database.prepare(connection, which, parameters.toArray());
        ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        use.accept(rows);
      }
    }
  }

  /** All gids of one question are of one store and participant. */
  private static Gid gid(List<Gid> asked, ResultSet row) throws SQLException {
    Gid any = Objects.requireNonNull(asked.get(0));
    return new Gid(any.storeId(), row.getLong("serial"), row.getLong("nonce"), any.participant());
  }

  private static List<List<Gid>> batches(List<Gid> gids) {
    List<List<Gid>> result = new ArrayList<>();
    for (int from = 0; from < gids.size(); from += AT_ONCE) {
      result.add(gids.subList(from, Math.min(gids.size(), from + AT_ONCE)));
    }
    return result;
  }

  /** What is seen need not be flushed, and whoever compares forgets the decisions. */
  Digest digest(UUID storeId, String participant, long above, long upTo) {
    return database.onConnection(
        "compare witnesses",
        connection -> {
          Digest found =
              database
                  .one(
                      connection,
                      """
                      select count(*), coalesce(sum(serial), 0), coalesce(sum(nonce), 0)
                      from ${prefix}_witness
                      where store_id = ? and participant = ? and serial > ? and serial <= ?
                      """,
                      row -> new Digest(row.getLong(1), row.getBigDecimal(2), row.getBigDecimal(3)),
                      storeId,
                      participant,
                      above,
                      upTo)
                  .orElseThrow();
          if (found.count() > 0) {
            database.flush(connection);
          }
          return found;
        });
  }

  List<Witness> read(UUID storeId, String participant, long above, long upTo, int limit) {
    return database.onConnection(
        "read witnesses",
        connection ->
            database.many(
                connection,
                """
                select serial, nonce, operation_id from ${prefix}_witness
                where store_id = ? and participant = ? and serial > ? and serial <= ?
                order by serial, nonce limit ?
                """,
                row -> new Witness(row.getLong(1), row.getLong(2), row.getString(3)),
                storeId,
                participant,
                above,
                upTo,
                limit));
  }

  /**
   * Looked for first, which takes no lock, and then deleted by key: a deletion by range would wait
   * for the witness behind the range, which may be that of a branch in doubt.
   */
  void forget(UUID storeId, String participant, long upTo) {
    List<Witness> some;
    do {
      some = read(storeId, participant, -1, upTo, AT_ONCE * 5);
      if (!some.isEmpty()) {
        delete(storeId, participant, some, upTo);
      }
    } while (some.size() == AT_ONCE * 5);
  }

  long forgotten(UUID storeId, String participant) {
    return database.onConnection(
        "read which witnesses are forgotten",
        connection ->
            database
                .one(
                    connection,
                    "select serial from ${prefix}_forgotten where store_id = ? and participant = ?",
                    row -> row.getLong(1),
                    storeId,
                    participant)
                .orElse(0L));
  }

  private void delete(UUID storeId, String participant, List<Witness> witnesses, long upTo) {
    database.transact(
        "forget witnesses",
        connection -> {
          database.update(
              connection,
              """
              insert into ${prefix}_forgotten (store_id, participant, serial) values (?, ?, ?)
              on duplicate key update serial = greatest(serial, values(serial))
              """,
              storeId,
              participant,
              upTo);
          try (PreparedStatement statement =
              database.prepare(
                  connection,
                  """
                  delete from ${prefix}_witness
                  where store_id = ? and participant = ? and serial = ? and nonce = ?
                  """)) {
            for (Witness each : witnesses) {
              statement.setString(1, storeId.toString());
              statement.setString(2, participant);
              statement.setLong(3, each.serial());
              statement.setLong(4, each.nonce());
              statement.addBatch();
            }
            statement.executeBatch();
            return Boolean.TRUE;
          }
        });
  }
}
