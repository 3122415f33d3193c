package dev.holdfast.mariadb;

import dev.holdfast.twophase.store.Claim;
import dev.holdfast.twophase.store.Server;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Which of a deciding database and its copies is obeyed. Thread-safe. */
final class ClaimTable {
  private static final String CLAIM =
      """
      select token, previous, previous_started, system_id, database_id, timeline, place, started,
             greatest(timestampdiff(microsecond, utc_timestamp(6), settles_at), 0) as settles_in_us
      from ${prefix}_claim where store_id = ? and participant = ?
      """;

  private static final String CLAIM_FIRST =
      """
      insert into ${prefix}_claim
        (token, previous, previous_started, system_id, database_id, timeline, place, started,
         settles_at, claimed_at, store_id, participant)
      values (?, ?, ?, ?, ?, ?, ?, ?, utc_timestamp(6) + interval ? microsecond, utc_timestamp(6),
              ?, ?)
      """;

  /** Waits for branches that are being prepared under the old claim, not for prepared ones. */
  private static final String CLAIM_AGAIN =
      """
      update ${prefix}_claim
      set token = ?, previous = ?, previous_started = ?, system_id = ?, database_id = ?,
          timeline = ?, place = ?, started = ?,
          settles_at = utc_timestamp(6) + interval ? microsecond, claimed_at = utc_timestamp(6),
          refused = 0
      where store_id = ? and participant = ? and token = ?
      """;

  /** As {@link #CLAIM_AGAIN}. */
  private static final String REFUSE =
      """
      update ${prefix}_claim set refused = greatest(refused, ?)
      where store_id = ? and participant = ? and token = ?
      """;

  private final Database database;

  ClaimTable(Database database) {
    this.database = database;
  }

  Optional<Claim> read(UUID storeId, String participant) {
    return database.onConnection(
        "read who has claimed this participant",
        connection -> database.one(connection, CLAIM, ClaimTable::claim, storeId, participant));
  }

  private static Claim claim(ResultSet row) throws SQLException {
    @Nullable String previous = row.getString("previous");
    return new Claim(
        UUID.fromString(row.getString("token")),
        previous == null ? null : UUID.fromString(previous),
        row.getString("previous_started"),
        new Server(
            row.getString("system_id"),
            row.getString("database_id"),
            row.getLong("timeline"),
            row.getString("place"),
            row.getString("started")),
        Duration.ofNanos(row.getLong("settles_in_us") * 1_000));
  }

  /**
   * Whether something may be prepared under a claim. Two things can be known of it: that there is
   * another, or that the serial's transaction is over.
   */
  boolean isPreparedUnder(UUID storeId, String participant, UUID claim, long serial) {
    return database.onConnection(
        "read who has claimed this participant",
        connection ->
            database
                .one(
                    connection,
                    "select refused < ? and token = ? from ${prefix}_claim"
                        + " where store_id = ? and participant = ?",
                    row -> row.getBoolean(1),
                    serial,
                    claim,
                    storeId,
                    participant)
                .orElse(Boolean.FALSE));
  }

  boolean refuse(UUID storeId, String participant, UUID claim, long upTo) {
    return database.onConnection(
        "refuse what is over",
        connection -> {
          if (database.update(connection, REFUSE, upTo, storeId, participant, claim) == 1) {
            return true;
          }
          // A driver may count the rows that are changed, and not those that are found.
          return read(storeId, participant).map(Claim::token).equals(Optional.of(claim));
        });
  }

  /** Compares and sets. */
  boolean claim(UUID storeId, String participant, @Nullable UUID expected, Claim next) {
    return database.onConnection(
        "claim this participant",
        connection -> {
          try {
            return write(connection, storeId, participant, expected, next) == 1;
          } catch (SQLException e) {
            if (expected == null && e.getErrorCode() == SqlErrors.DUPLICATE_KEY) {
              return false;
            }
            throw e;
          }
        });
  }

  private int write(
      Connection connection, UUID storeId, String participant, @Nullable UUID expected, Claim next)
      throws SQLException {
    Server holder = next.holder();
    String sql = expected == null ? CLAIM_FIRST : CLAIM_AGAIN;
    try (var statement =
        database.prepare(
            connection,
            sql,
            next.token(),
            next.previous(),
            next.previousStarted(),
            holder.system(),
            holder.database(),
            holder.timeline(),
            holder.place(),
            holder.started(),
            next.settlesIn().toNanos() / 1_000,
            storeId,
            participant)) {
      if (expected != null) {
        statement.setString(12, expected.toString());
      }
      return statement.executeUpdate();
    }
  }
}
