package dev.holdfast.postgres.doctor;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The server: what it is, how it is set, how much room it has. */
final class ServerChecks {
  private static final int OLDEST_VERSION = 130_000;
  private static final double MANY_CONNECTIONS = 0.8;
  private static final double NO_CONNECTIONS = 0.95;

  /** Attempts are found by a clock that may be off by this much. */
  private static final Duration CLOCKS_AT_MOST = Duration.ofMinutes(30);

  private static final int TIMES_FROZEN_AGE = 4;

  static final List<Check> ALL =
      List.of(
          new Check("database.primary", ServerChecks::primary),
          new Check("database.version", ServerChecks::version),
          new Check("database.fsync", ServerChecks::fsync),
          new Check("database.full-page-writes", ServerChecks::fullPageWrites),
          new Check("database.synchronous-commit", ServerChecks::synchronousCommit),
          new Check("database.connections", ServerChecks::connections),
          new Check("database.wraparound", ServerChecks::wraparound),
          new Check("database.clock", ServerChecks::clock));

  private ServerChecks() {}

  private static List<Finding> primary(Patient patient) throws SQLException {
    return List.of(
        patient.one("select pg_is_in_recovery()", row -> row.getBoolean(1))
            ? Finding.of(
                Severity.FAIL,
                "database.primary",
                "",
                "This server is a standby.",
                "Nothing can be published or relayed here: snapshots and flush positions are the primary's.",
                "Name the primary in --database, or add targetServerType=primary to the URL.",
                Map.of())
            : Finding.ok("database.primary", "This server is a primary."));
  }

  private static List<Finding> version(Patient patient) throws SQLException {
    int version = Integer.parseInt(patient.setting("server_version_num"));
    return List.of(
        version < OLDEST_VERSION
            ? Finding.of(
                Severity.FAIL,
                "database.version",
                "",
                "The server's version is " + patient.setting("server_version") + ".",
                "Holdfast is written for PostgreSQL 13 and newer.",
                "Upgrade the server.",
                Map.of("version", version))
            : Finding.ok(
                "database.version",
                "",
                "The server's version is " + patient.setting("server_version") + ".",
                Map.of("version", version)));
  }

  private static List<Finding> fsync(Patient patient) throws SQLException {
    return List.of(
        on(
            patient,
            "database.fsync",
            "fsync",
            "A crash of the machine can lose or corrupt what was committed, and messages with it: nothing that Holdfast promises holds."));
  }

  private static List<Finding> fullPageWrites(Patient patient) throws SQLException {
    return List.of(
        on(
            patient,
            "database.full-page-writes",
            "full_page_writes",
            "A crash of the machine can tear pages, unless the file system writes them whole."));
  }

  private static Finding on(Patient patient, String id, String setting, String meaning)
      throws SQLException {
    return patient.setting(setting).equals("on")
        ? Finding.ok(id, setting + " is on.")
        : Finding.of(
            Severity.FAIL,
            id,
            "",
            setting + " is off.",
            meaning,
            "alter system set %s = on; select pg_reload_conf();".formatted(setting),
            Map.of(setting, patient.setting(setting)));
  }

  /** The session's own setting, and those of databases and roles that other sessions will have. */
  private static List<Finding> synchronousCommit(Patient patient) throws SQLException {
    List<String> off =
        patient.many(
            """
            select 'role ' || coalesce(r.rolname, '(all)') || ', database ' || coalesce(d.datname, '(all)')
            from pg_db_role_setting s cross join unnest(s.setconfig) as c(setting)
            left join pg_roles r on r.oid = s.setrole
            left join pg_database d on d.oid = s.setdatabase
            where lower(c.setting) in ('synchronous_commit=off', 'synchronous_commit=false',
                                       'synchronous_commit=no', 'synchronous_commit=0')
              and (s.setdatabase = 0 or d.datname = current_database())
            """,
            row -> row.getString(1));
    boolean here = patient.setting("synchronous_commit").equals("off");
    if (!here && off.isEmpty()) {
      return List.of(
          Finding.ok(
              "database.synchronous-commit",
              "",
              "synchronous_commit is " + patient.setting("synchronous_commit") + ".",
              Map.of("synchronous_commit", patient.setting("synchronous_commit"))));
    }
    return List.of(
        Finding.of(
            Severity.WARN,
            "database.synchronous-commit",
            "",
            "synchronous_commit is off " + (here ? "by default." : "for " + off + "."),
            "A crash of the database can take back the last transactions of such sessions, which were told as committed, and their messages with them: both or neither.",
            here
                ? "alter system set synchronous_commit = on; select pg_reload_conf();"
                : "alter role NAME reset synchronous_commit; alter database NAME reset synchronous_commit;",
            Map.of("off_by_default", here, "off_for", String.join("; ", off))));
  }

  private record Connections(int used, int max, int reserved) {}

  private static List<Finding> connections(Patient patient) throws SQLException {
    Connections now =
        patient.one(
            """
            select (select count(*) from pg_stat_activity where backend_type = 'client backend'),
                   current_setting('max_connections')::int,
                   current_setting('superuser_reserved_connections')::int
            """,
            row -> new Connections(row.getInt(1), row.getInt(2), row.getInt(3)));
    int free = now.max() - now.reserved();
    double share = (double) now.used() / free;
    Map<String, Object> evidence =
        Map.of("used", now.used(), "max", now.max(), "reserved", now.reserved());
    String found = "%d of %d connections are in use.".formatted(now.used(), free);
    if (share < MANY_CONNECTIONS) {
      return List.of(Finding.ok("database.connections", "", found, evidence));
    }
    return List.of(
        Finding.of(
            share < NO_CONNECTIONS ? Severity.WARN : Severity.FAIL,
            "database.connections",
            "",
            found,
            "Applications and relays that ask for one more may be refused; a relay then waits and tries again.",
            "select usename, application_name, state, count(*) from pg_stat_activity group by 1, 2, 3 order by 4 desc;",
            evidence));
  }

  private record Oldest(String database, long transactions, long multixacts) {
    long age() {
      return Math.max(transactions, multixacts);
    }
  }

  private static List<Finding> wraparound(Patient patient) throws SQLException {
    Oldest oldest =
        patient.one(
            """
            select datname, age(datfrozenxid), mxid_age(datminmxid) from pg_database
            order by greatest(age(datfrozenxid), mxid_age(datminmxid)) desc limit 1
            """,
            row -> new Oldest(row.getString(1), row.getLong(2), row.getLong(3)));
    Map<String, Object> evidence =
        Map.of(
            "database", oldest.database(),
            "transactions", oldest.transactions(),
            "multixacts", oldest.multixacts());
    String found =
        "The oldest row that is not frozen is %d transactions old, in database %s."
            .formatted(oldest.age(), oldest.database());
    long warnAt = patient.limits().frozenAge();
    if (oldest.age() <= warnAt) {
      return List.of(Finding.ok("database.wraparound", "", found, evidence));
    }
    return List.of(
        Finding.of(
            oldest.age() > TIMES_FROZEN_AGE * warnAt ? Severity.FAIL : Severity.WARN,
            "database.wraparound",
            oldest.database(),
            found,
            "At two thousand million the server refuses every write. Something keeps vacuum from freezing: see transactions.horizon, transactions.prepared and replication.slots.",
            "vacuum (freeze, verbose); -- connected to database " + oldest.database(),
            evidence));
  }

  private static List<Finding> clock(Patient patient) throws SQLException {
    Instant before = patient.clock().instant();
    Instant there =
        patient.one(
            "select clock_timestamp()", row -> row.getObject(1, OffsetDateTime.class).toInstant());
    Duration asked = Duration.between(before, patient.clock().instant());
    Duration difference = Duration.between(before.plus(asked.dividedBy(2)), there);
    Duration apart = difference.abs().minus(asked.dividedBy(2));
    List<Finding> result = new ArrayList<>();
    Map<String, Object> evidence = Map.of("difference_ms", difference.toMillis());
    String found =
        "The database's clock and this machine's are %d ms apart."
            .formatted(difference.abs().toMillis());
    if (apart.compareTo(patient.limits().clocks()) <= 0) {
      result.add(Finding.ok("database.clock", "", found, evidence));
    } else {
      result.add(
          Finding.of(
              apart.compareTo(CLOCKS_AT_MOST) > 0 ? Severity.FAIL : Severity.WARN,
              "database.clock",
              "",
              found,
              "Leases and delays go by the database's clock alone. But deliverAt is computed by the application's clock, and with half an hour or more a lost reply to a commit cannot be resolved.",
              "timedatectl set-ntp true # on both machines",
              evidence));
    }
    return result;
  }
}
