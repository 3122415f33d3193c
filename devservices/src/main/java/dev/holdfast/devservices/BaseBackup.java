package dev.holdfast.devservices;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;

/**
 * A copy of a running server's files, taken as PostgreSQL's manual says under "Making a Base Backup
 * Using the Low Level API": the files change while they are copied, and the log from the copy's
 * start to its end makes them whole.
 */
final class BaseBackup {
  private static final String LOG = "pg_wal";

  /** Neither of these makes sense in a copy; PostgreSQL creates them anew. */
  private static final Set<String> LEFT_OUT =
      Set.of("postmaster.pid", "postmaster.opts", "standby.signal", "recovery.signal");

  /** Directories whose contents make none either. */
  private static final Set<String> EMPTIED =
      Set.of(
          "pg_dynshmem",
          "pg_notify",
          "pg_replslot",
          "pg_serial",
          "pg_snapshots",
          "pg_stat_tmp",
          "pg_subtrans",
          LOG);

  private BaseBackup() {}

  /**
   * @param connection with a superuser, to the server on the data
   * @param to must not exist
   */
  static void take(Connection connection, Path data, Path to) throws SQLException, IOException {
    try (Statement statement = connection.createStatement()) {
      // Keeps the log from here on, for as long as this connection lasts.
      statement.execute(
          "select pg_create_physical_replication_slot('holdfast_' || pg_backend_pid(), true, true)");
      statement.execute("select pg_backup_start('holdfast', fast => true)");
      Directories.copy(data, to, BaseBackup::isWanted);
      try (ResultSet row =
          statement.executeQuery(
              "select labelfile from pg_backup_stop(wait_for_archive => false)")) {
        row.next();
        Files.writeString(to.resolve("backup_label"), row.getString(1));
      }
    }
    // What was logged meanwhile is needed too, so that the log comes last.
    Directories.copy(data.resolve(LOG), to.resolve(LOG), file -> true);
  }

  private static boolean isWanted(Path file) {
    return !LEFT_OUT.contains(file.toString())
        && (file.getNameCount() == 1 || !EMPTIED.contains(file.getName(0).toString()));
  }
}
