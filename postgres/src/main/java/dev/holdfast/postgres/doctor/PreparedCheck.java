package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Patient.literal;
import static dev.holdfast.postgres.doctor.Patient.seconds;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.twophase.store.Gid;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Prepared transactions of this server: Holdfast's own branches, and those of others. */
final class PreparedCheck {
  private static final String ID = "transactions.prepared";

  /** The most that are told; the oldest come first. */
  private static final int MOST = 10;

  /** What is typed for a branch of ours: what is right is known at the deciding database alone. */
  static final String RECOVER = recover("NAME");

  private PreparedCheck() {}

  static String recover(String participant) {
    return "holdfast recover --database URL-OF-THE-DECIDING-DATABASE --participant %s=URL-OF-THIS-ONE"
        .formatted(participant);
  }

  /**
   * Its locks are told under no process, and under the same name as the lock on its id. A branch of
   * ours is ended within seconds, so that it is told sooner.
   */
  private static final String PREPARED =
      """
      select p.gid, p.owner::text as holder, p.database::text as database,
             p.database = current_database() as here,
             extract(epoch from clock_timestamp() - p.prepared)::float8 as seconds,
             age(p.transaction)::bigint as age, l.locks, l.stripes
      from pg_prepared_xacts p
      cross join lateral (
        select count(*) as locks,
               count(*) filter (where l.locktype = 'advisory' and l.classid = 1213156420) as stripes
        from pg_locks l
        where l.pid is null
          and l.virtualtransaction = (
            select t.virtualtransaction from pg_locks t
            where t.pid is null and t.locktype = 'transactionid'
              and t.transactionid = p.transaction and t.mode = 'ExclusiveLock' limit 1)) l
      where p.prepared <= clock_timestamp()
                          - case when p.gid ~ '^hf:' then least(?, ?) else ? end * interval '1 ms'
      order by p.prepared limit ?
      """;

  static List<Finding> prepared(Patient patient) throws SQLException {
    boolean knowsClaims =
        patient.one("select to_regclass('${schema}.claim') is not null", row -> row.getBoolean(1));
    long transaction = patient.limits().transaction().toMillis();
    List<Finding> result =
        patient.many(
            PREPARED,
            row -> finding(patient, knowsClaims, row),
            patient.limits().inDoubt().toMillis(),
            transaction,
            transaction,
            MOST);
    return result.isEmpty()
        ? List.of(Finding.ok(ID, "No prepared transaction waits for its decision for long."))
        : result;
  }

  private static Finding finding(Patient patient, boolean knowsClaims, ResultSet row)
      throws SQLException {
    Optional<Gid> gid = Gid.parse(row.getString("gid"));
    return gid.isEmpty()
        ? foreign(row)
        : ours(
            row,
            gid.get(),
            knowsClaims && row.getBoolean("here") ? decider(patient, gid.get()) : null);
  }

  private static Map<String, Object> evidence(ResultSet row) throws SQLException {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("gid", row.getString("gid"));
    result.put("owner", row.getString("holder"));
    result.put("database", row.getString("database"));
    result.put("age_seconds", Math.round(row.getDouble("seconds")));
    result.put("age_transactions", row.getLong("age"));
    result.put("locks", row.getLong("locks"));
    result.put("key_stripes", row.getInt("stripes"));
    return result;
  }

  private static Finding foreign(ResultSet row) throws SQLException {
    return Finding.of(
        Severity.FAIL,
        ID,
        row.getString("gid"),
        "The prepared transaction %s of %s in database %s waits for its decision for %s."
            .formatted(
                row.getString("gid"),
                row.getString("holder"),
                row.getString("database"),
                seconds(row.getDouble("seconds"))),
        "It survives restarts, keeps its locks%s, and holds the horizon, until its transaction manager or a person decides."
            .formatted(
                row.getInt("stripes") > 0
                    ? ", keys of messages among them, so that publishing with these keys waits"
                    : ""),
        "Ask the transaction manager that made it. If it has forgotten it, connected to database %s: rollback prepared %s;"
            .formatted(row.getString("database"), literal(row.getString("gid"))),
        evidence(row));
  }

  private static Finding ours(ResultSet row, Gid gid, @Nullable String decider)
      throws SQLException {
    Map<String, Object> evidence = evidence(row);
    evidence.put("store", gid.storeId().toString());
    evidence.put("participant", gid.participant());
    TransactionChecks.put(evidence, "decider", decider);
    return Finding.of(
        Severity.FAIL,
        ID,
        row.getString("gid"),
        "The branch %s of %s in database %s, of an operation across databases, is prepared for %s and waits for the decision of the store %s%s."
            .formatted(
                row.getString("gid"),
                row.getString("holder"),
                row.getString("database"),
                seconds(row.getDouble("seconds")),
                gid.storeId(),
                decider == null ? "" : ", last seen at " + decider),
        "It survives restarts, keeps its %d locks, and holds the horizon. Every process that has this participant ends such a branch within seconds: none runs, or none may. What is right is known there, so do not end it by hand."
            .formatted(row.getLong("locks")),
        recover(gid.participant()),
        evidence);
  }

  /** Where the deciding database was when it claimed this one. */
  private static @Nullable String decider(Patient patient, Gid gid) throws SQLException {
    List<String> places =
        patient.many(
            "select place from ${schema}.claim where store_id = ? and participant = ?",
            row -> row.getString(1),
            gid.storeId(),
            gid.participant());
    return places.isEmpty() ? null : places.get(0);
  }
}
