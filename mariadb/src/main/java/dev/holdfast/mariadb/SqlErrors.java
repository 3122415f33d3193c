package dev.holdfast.mariadb;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.HoldfastException;
import dev.holdfast.SchemaMismatch;
import dev.holdfast.StoreUnavailable;
import java.io.IOException;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;

/**
 * Tells the database's errors apart: by SQLState, and where MariaDB has only HY000 or 23000 to say,
 * by its number, which is as stable. Never by text.
 */
final class SqlErrors {
  static final int DUPLICATE_KEY = 1062;
  static final int LOCK_WAIT_TIMEOUT = 1205;
  private static final int CHANGED_SINCE_LAST_READ = 1020;

  /** XAER_NOTA: there is no such branch, or a connection that is open has it. */
  static final String UNKNOWN_XID = "XAE04";

  /** XA_RBROLLBACK: the branch was prepared, and was undone. */
  static final String XA_ROLLED_BACK = "XA100";

  private static final String XA_ROLLED_BACK_BY_DEADLOCK = "XA102";
  private static final String XA_ROLLED_BACK_BY_TIMEOUT = "XA106";
  private static final String XA_OUTSIDE = "XAE09";

  private SqlErrors() {}

  static String state(SQLException error) {
    return error.getSQLState() == null ? "" : error.getSQLState();
  }

  static boolean isRetryable(SQLException error) {
    for (SQLException e = error; e != null; e = e.getNextException()) {
      boolean retryable =
          switch (state(e)) {
            case "40001", XA_ROLLED_BACK_BY_DEADLOCK, XA_ROLLED_BACK_BY_TIMEOUT -> true;
            default ->
                e.getErrorCode() == LOCK_WAIT_TIMEOUT
                    || e.getErrorCode() == CHANGED_SINCE_LAST_READ;
          };
      if (retryable) {
        return true;
      }
    }
    return false;
  }

  /** The connection broke, or was broken, after something may have been sent. */
  static boolean isReplyLost(SQLException error) {
    String state = state(error);
    // 08003: it was closed before anything was sent. 70100: killed while it was at it.
    return (state.startsWith("08") && !state.equals("08003"))
        || state.equals("70100")
        || (state.isEmpty() && isCausedByIo(error));
  }

  private static boolean isCausedByIo(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof IOException) {
        return true;
      }
    }
    return false;
  }

  /** JDBC's word for "not now", when it does not come from the server. */
  private static boolean isPoolExhausted(SQLException error) {
    return error instanceof SQLTransientConnectionException && state(error).isEmpty();
  }

  static HoldfastException translate(String doing, SQLException error) {
    String failed = "Could not " + doing + ": ";
    if (isPoolExhausted(error)) {
      return new StoreUnavailable(
          failed
              + "no connection to the database could be had ("
              + error.getMessage()
              + "). Nothing was done. Check that the pool is large enough and gets back what it"
              + " lends.",
          error);
    }
    String state = state(error);
    return switch (state) {
      case "42S02" ->
          new SchemaMismatch(
              failed
                  + "Holdfast's tables are not there ("
                  + error.getMessage()
                  + "). Nothing was recorded. Start with migration, or run the SQL that the"
                  + " participant's schema().print(0) returns.",
              error);
      case XA_OUTSIDE ->
          new DatabaseFailure(
              failed
                  + "the connection came with a transaction open ("
                  + error.getMessage()
                  + "). Nothing was done in it. Give Holdfast a data source whose connections are"
                  + " idle.",
              error);
      default ->
          isUnreachable(state)
              ? new StoreUnavailable(
                  failed
                      + "the connection to the database failed ("
                      + error.getMessage()
                      + "). What was neither committed nor prepared is rolled back there.",
                  error)
              : new DatabaseFailure(
                  failed
                      + "the database answered "
                      + (state.isEmpty() ? "without SQLState" : "SQLState " + state)
                      + ", error "
                      + error.getErrorCode()
                      + " ("
                      + error.getMessage()
                      + "). It is rolled back.",
                  error);
    };
  }

  private static boolean isUnreachable(String state) {
    return state.startsWith("08") || state.equals("70100");
  }
}
