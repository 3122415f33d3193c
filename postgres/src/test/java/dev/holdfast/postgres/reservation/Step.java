package dev.holdfast.postgres.reservation;

import dev.holdfast.Transaction;
import dev.holdfast.reservation.Reservation;
import dev.holdfast.reservation.ReservationState;
import dev.holdfast.reservation.ReserveResult;
import dev.holdfast.reservation.Resolved;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** What can be done about a reservation, and the table of what comes of it. */
enum Step {
  RESERVE,
  CONFIRM,
  CANCEL,
  EXPIRE;

  /**
   * @param said what the caller is told
   */
  record After(ReservationState state, String said) {}

  /**
   * The protocol: what a reservation becomes, and what is said.
   *
   * @param due whether it is held for longer than it may
   */
  After after(ReservationState state, boolean due) {
    return switch (state) {
      case NONE ->
          switch (this) {
            case RESERVE -> new After(ReservationState.HELD, "reserved");
            case CONFIRM -> new After(ReservationState.NONE, "is NONE");
            case CANCEL -> new After(ReservationState.CANCELLED, "made CANCELLED");
            case EXPIRE -> new After(ReservationState.NONE, "0");
          };
      case HELD -> due ? afterDue() : afterHeld();
      case CONFIRMED, CANCELLED, EXPIRED ->
          switch (this) {
            case RESERVE, CONFIRM, CANCEL -> new After(state, "is " + state);
            case EXPIRE -> new After(state, "0");
          };
    };
  }

  private After afterHeld() {
    return switch (this) {
      case RESERVE -> new After(ReservationState.HELD, "held before");
      case CONFIRM -> new After(ReservationState.CONFIRMED, "made CONFIRMED");
      case CANCEL -> new After(ReservationState.CANCELLED, "made CANCELLED");
      case EXPIRE -> new After(ReservationState.HELD, "0");
    };
  }

  private After afterDue() {
    return switch (this) {
      case RESERVE -> new After(ReservationState.EXPIRED, "is EXPIRED");
      case CONFIRM, CANCEL -> new After(ReservationState.EXPIRED, "made EXPIRED");
      case EXPIRE -> new After(ReservationState.EXPIRED, "1");
    };
  }

  /** Does it, and says what was said. */
  String run(Stocks stocks, Transaction tx, Reservation reservation) throws SQLException {
    return switch (this) {
      case RESERVE -> say(stocks.reservations.reserve(tx, reservation));
      case CONFIRM -> say(stocks.reservations.confirm(tx, reservation.id()));
      case CANCEL -> say(stocks.reservations.cancel(tx, reservation.id()));
      case EXPIRE -> {
        try (Statement statement = tx.connection().createStatement();
            ResultSet row =
                statement.executeQuery(stocks.in("select ${schema}.expire_reservations(1000)"))) {
          row.next();
          yield row.getString(1);
        }
      }
    };
  }

  private static String say(ReserveResult result) {
    if (result instanceof ReserveResult.Reserved reserved) {
      return reserved.repeated() ? "held before" : "reserved";
    }
    return result instanceof ReserveResult.AlreadyResolved resolved
        ? "is " + resolved.state()
        : result.toString();
  }

  private static String say(Resolved resolved) {
    return (resolved.first() ? "made " : "is ") + resolved.state();
  }
}
