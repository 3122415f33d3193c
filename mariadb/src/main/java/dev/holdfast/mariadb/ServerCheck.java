package dev.holdfast.mariadb;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.twophase.store.Server;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Which server this is, and whether it can take part. Thread-safe. */
final class ServerCheck {
  /** The first long-term version whose branches, locks and variables are as relied on here. */
  private static final int LEAST_MAJOR = 10;

  private static final int LEAST_MINOR = 11;

  /**
   * The start is what the clock says less what the server says it has been up for; both are taken
   * when the statement begins, so that the difference is the same every time, to the second.
   */
  private static final String SERVER =
      """
      select (select id from ${prefix}_identity) as id, database() as name,
             concat(@@hostname, ':', @@port) as place,
             unix_timestamp() - (select variable_value from information_schema.global_status
                                 where variable_name = 'UPTIME') as started
      """;

  private static final String VARIABLES =
      """
      select variable_name, global_value from information_schema.system_variables
      where variable_name in ('VERSION', 'INNODB_FLUSH_LOG_AT_TRX_COMMIT', 'LOG_BIN', 'SYNC_BINLOG',
                              'READ_ONLY', 'WSREP_ON')
      """;

  private final Database database;

  ServerCheck(Database database) {
    this.database = database;
  }

  /**
   * MariaDB has no identity that is kept with its data, so that ours is a row. A copy has it as
   * well, also one by dump; it is the same database then, in another history.
   */
  Server server() {
    return database.onConnection(
        "read which server this is",
        connection ->
            database
                .one(
                    connection,
                    SERVER,
                    row ->
                        new Server(
                            row.getString("id"),
                            row.getString("name"),
                            0,
                            row.getString("place"),
                            Long.toString(row.getLong("started"))))
                .orElseThrow());
  }

  /** For people. */
  String place() {
    return database.onConnection(
        "read which server this is",
        connection ->
            database
                .one(
                    connection,
                    "select concat(@@hostname, ':', @@port, '/', database())",
                    row -> row.getString(1))
                .orElseThrow());
  }

  void verify() {
    Map<String, String> variables = new HashMap<>();
    database.onConnection(
        "read the participant's settings",
        connection ->
            database.many(
                connection, VARIABLES, row -> variables.put(row.getString(1), row.getString(2))));
    List<String> problems = problems(variables);
    if (!problems.isEmpty()) {
      throw new InvalidConfiguration(
          "The participant (mariadb %s) cannot take part: %s. Nothing was started."
              .formatted(place(), String.join("; ", problems)));
    }
  }

  /** What keeps a server with these variables from taking part, and what to do about each. */
  static List<String> problems(Map<String, String> variables) {
    List<String> problems = new ArrayList<>();
    String version = variables.getOrDefault("VERSION", "");
    if (!isRecent(version)) {
      problems.add(
          "its version is %s, and %d.%d or newer is needed"
              .formatted(version, LEAST_MAJOR, LEAST_MINOR));
    }
    if (!"1".equals(variables.get("INNODB_FLUSH_LOG_AT_TRX_COMMIT"))) {
      problems.add(
          "innodb_flush_log_at_trx_commit is %s, so that a crash can take back what it has prepared or committed; set global innodb_flush_log_at_trx_commit = 1, and in its option file"
              .formatted(variables.get("INNODB_FLUSH_LOG_AT_TRX_COMMIT")));
    }
    if ("ON".equals(variables.get("LOG_BIN")) && !"1".equals(variables.get("SYNC_BINLOG"))) {
      problems.add(
          "its binary log is on and sync_binlog is %s, so that a crash can lose what was committed from it; set global sync_binlog = 1, and in its option file"
              .formatted(variables.get("SYNC_BINLOG")));
    }
    if ("ON".equals(variables.get("READ_ONLY"))) {
      problems.add("it is read_only, as a replica is; use the primary");
    }
    if ("ON".equals(variables.get("WSREP_ON"))) {
      problems.add("it is a node of a Galera cluster, which does not support XA");
    }
    return problems;
  }

  private static boolean isRecent(String version) {
    String[] parts = version.split("[^0-9]+", 3);
    if (parts.length < 2 || parts[0].isEmpty() || parts[1].isEmpty()) {
      return false;
    }
    int major = Integer.parseInt(parts[0]);
    return major > LEAST_MAJOR
        || (major == LEAST_MAJOR && Integer.parseInt(parts[1]) >= LEAST_MINOR);
  }
}
