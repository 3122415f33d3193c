package dev.holdfast.postgres;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidMessage;
import dev.holdfast.SchemaMismatch;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.UnroutedTopic;
import java.io.IOException;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Tells the database's errors apart, by SQLState (PostgreSQL manual, appendix A) alone. */
final class SqlErrors {
  static final String UNROUTED = "HF001";
  static final String INVALID = "HF002";
  static final String UNIQUE_VIOLATION = "23505";
  static final String LOCK_NOT_AVAILABLE = "55P03";

  private SqlErrors() {}

  static String state(SQLException error) {
    return error.getSQLState() == null ? "" : error.getSQLState();
  }

  /** A serialization failure or a deadlock, anywhere in the chain. */
  static boolean isRetryable(SQLException error) {
    for (SQLException e = error; e != null; e = e.getNextException()) {
      if (state(e).equals("40001") || state(e).equals("40P01")) {
        return true;
      }
    }
    return false;
  }

  /** The connection broke after something may have been sent. */
  static boolean isConnectionLost(SQLException error) {
    String state = state(error);
    // 08003: it was closed before anything was sent.
    return (state.startsWith("08") && !state.equals("08003"))
        || state.startsWith("57P0")
        || state.equals("40003")
        || (state.isEmpty() && causedByIo(error));
  }

  /**
   * 25P03 and 25P04: the server ended it, since it was left alone in a transaction for too long.
   */
  private static boolean isSessionGone(String state) {
    return state.startsWith("08")
        || state.startsWith("57P0")
        || state.equals("25P03")
        || state.equals("25P04");
  }

  /** JDBC's word for "not now", when it does not come from the server. */
  private static boolean isPoolExhausted(SQLException error) {
    return error instanceof SQLTransientConnectionException && state(error).isEmpty();
  }

  private static boolean causedByIo(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof IOException) {
        return true;
      }
    }
    return false;
  }

  static HoldfastException translate(String doing, SQLException error) {
    if (isPoolExhausted(error)) {
      return new StoreUnavailable(
          "Could not "
              + doing
              + ": no connection to the database could be had ("
              + error.getMessage()
              + "). Nothing was done. Check that the pool is large enough and gets back what it lends.",
          error);
    }
    String state = state(error);
    return switch (state) {
      case UNROUTED -> new UnroutedTopic(serverText(error), error);
      case INVALID -> new InvalidMessage(serverText(error), error);
      case "42P01", "3F000", "42883" ->
          new SchemaMismatch(
              "Could not "
                  + doing
                  + ": Holdfast's tables or functions are not there ("
                  + message(error)
                  + "). Nothing was recorded. Run: holdfast schema migrate.",
              error);
      case "42501" ->
          new DatabaseFailure(
              "Could not "
                  + doing
                  + ": the database user lacks a privilege ("
                  + message(error)
                  + "). It is rolled back. The grants are printed by: holdfast schema print"
                  + " --roles.",
              error);
      default ->
          isSessionGone(state) || state.startsWith("53")
              ? new StoreUnavailable(
                  "Could not "
                      + doing
                      + ": the connection to the database failed ("
                      + message(error)
                      + "). What was not committed is rolled back there.",
                  error)
              : new DatabaseFailure(
                  "Could not "
                      + doing
                      + ": the database answered "
                      + (state.isEmpty() ? "without SQLState" : "SQLState " + state)
                      + " ("
                      + message(error)
                      + "). It is rolled back.",
                  error);
    };
  }

  /** A pool says that it waited in vain; what for, says its cause. */
  private static String message(SQLException error) {
    return error instanceof SQLTransientConnectionException
            && error.getCause() instanceof SQLException cause
        ? String.valueOf(cause.getMessage())
        : String.valueOf(error.getMessage());
  }

  /** The function's own words and hint, without the driver's decoration. */
  private static String serverText(SQLException error) {
    if (error instanceof PSQLException postgres) {
      ServerErrorMessage server = postgres.getServerErrorMessage();
      if (server != null && server.getMessage() != null) {
        @Nullable String hint = server.getHint();
        return server.getMessage() + (hint == null ? "" : " " + hint);
      }
    }
    return String.valueOf(error.getMessage());
  }
}
