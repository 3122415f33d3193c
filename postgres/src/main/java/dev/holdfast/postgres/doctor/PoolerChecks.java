package dev.holdfast.postgres.doctor;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.postgresql.PGConnection;

/**
 * What stands between us and the server.
 *
 * <p>At the start of a session the server tells the client the id of its process, for cancelling. A
 * pooler, which has no process yet to speak of, makes one up. So where the id told is not the id of
 * the process that answers, a pooler is in between; a mere TCP proxy passes it on. Whether it
 * shares processes by transaction is tried: while one connection is in no transaction, another
 * begins one, and has the first one's process.
 */
final class PoolerChecks {
  private static final int LISTEN_MILLIS = 2_000;

  static final List<Check> ALL =
      List.of(
          new Check("pooler.mode", PoolerChecks::mode),
          new Check("pooler.listen", PoolerChecks::listen));

  private PoolerChecks() {}

  private static List<Finding> mode(Patient patient) throws SQLException {
    int told = patient.connection().unwrap(PGConnection.class).getBackendPID();
    int answers = pid(patient.connection());
    if (told == answers) {
      return List.of(Finding.ok("pooler.mode", "No pooler is in between."));
    }
    patient.connection().rollback();
    boolean shared;
    try (Connection other = patient.dataSource().getConnection()) {
      other.setAutoCommit(false);
      shared = pid(other) == answers;
      other.rollback();
      other.setAutoCommit(true);
    }
    return List.of(
        Finding.of(
            Severity.WARN,
            "pooler.mode",
            "",
            shared
                ? "A pooler is in between, and two connections shared a server process: it pools by transaction."
                : "A pooler is in between; no two connections were seen to share a server process.",
            "In transaction mode LISTEN is not heard, so relays find messages by polling, and server-side prepared statements need pgbouncer 1.21 or newer with max_prepared_statements.",
            "Add prepareThreshold=0 to the JDBC URL unless the pooler keeps prepared statements; give relays a URL that leads to the server itself.",
            Map.of("pid_told", told, "pid", answers, "shared", shared)));
  }

  private static int pid(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select pg_backend_pid()")) {
      row.next();
      return row.getInt(1);
    }
  }

  /**
   * Whether an error says that a pooler handed us a process in which another client has prepared
   * statements: ours has a name that is taken, or is not there.
   */
  static Optional<Finding> mixedUp(Exception error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof SQLException sql
          && ("42P05".equals(sql.getSQLState()) || "26000".equals(sql.getSQLState()))) {
        return Optional.of(
            Finding.of(
                Severity.FAIL,
                "pooler.prepared-statements",
                "",
                "A pooler in between mixes up the prepared statements of its clients.",
                "Whatever prepares statements fails now and then, relays and applications too; what fails is rolled back. What was asked here in vain is told as UNKNOWN.",
                "Add prepareThreshold=0 to the JDBC URL, or use pgbouncer 1.21 or newer with max_prepared_statements.",
                Map.of()));
      }
    }
    return Optional.empty();
  }

  private static List<Finding> listen(Patient patient) throws SQLException {
    // A name that nobody listens to: behind a pooler the listening stays with the process.
    String channel = "holdfast_doctor_" + UUID.randomUUID().toString().replace("-", "");
    boolean heard;
    Connection connection = patient.connection();
    try (Statement listening = connection.createStatement()) {
      listening.execute("listen " + channel);
      connection.commit();
      try (Connection other = patient.dataSource().getConnection();
          Statement notifying = other.createStatement()) {
        notifying.execute("notify " + channel);
      }
      heard = connection.unwrap(PGConnection.class).getNotifications(LISTEN_MILLIS).length > 0;
      listening.execute("unlisten " + channel);
      connection.commit();
    }
    return List.of(
        heard
            ? Finding.ok("pooler.listen", "A notification sent was heard.")
            : Finding.of(
                Severity.WARN,
                "pooler.listen",
                "",
                "A notification sent was not heard within " + LISTEN_MILLIS + " ms.",
                "Relays find messages of other processes by polling alone, 50 ms apart at most unless set.",
                "Give relays a URL that leads to the server itself, or leave it: polling loses nothing.",
                Map.of()));
  }
}
