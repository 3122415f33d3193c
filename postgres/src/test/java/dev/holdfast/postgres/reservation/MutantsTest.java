package dev.holdfast.postgres.reservation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.StoreClock;
import dev.holdfast.reservation.Reservation;
import dev.holdfast.reservation.ReserveResult;
import dev.holdfast.reservation.Resolved;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Each step of the protocol is needed: what a test finds to be so with it is not so any more with
 * that step taken out of the function.
 */
final class MutantsTest {
  private final Stocks stocks = new Stocks().with("widget", 5, 1).with("gadget", 5, 1);

  @AfterEach
  void end() {
    stocks.close();
  }

  @Test
  @Attacks("reservation.never-oversold")
  void ofTwoThatReserveAtOnceEachGetsUnitsOfItsOwn() throws Exception {
    assertThat(balanceAfterTwoThatReserveAtOnce()).isZero();
  }

  /** Reads what is available, and then writes what is left: as it is often done. */
  @Test
  void withoutTheLockBothGetTheSameUnits() throws Exception {
    stocks.takeWhatWasRead();
    assertThat(balanceAfterTwoThatReserveAtOnce()).as("units out of nothing").isNotZero();
  }

  private long balanceAfterTwoThatReserveAtOnce() throws Exception {
    stocks.with("gizmo", 10, 2);
    try (Session one = new Session(stocks);
        Session other = new Session(stocks)) {
      ReserveResult first =
          one.run(tx -> stocks.reservations.reserve(tx, Reservation.of("a", "gizmo", 4)));
      CompletableFuture<ReserveResult> second =
          other.begin(tx -> stocks.reservations.reserve(tx, Reservation.of("b", "gizmo", 4)));
      one.commit();
      assertThat(first.isReserved() && Session.result(second).isReserved()).isTrue();
      other.commit();
    }
    return stocks.level("gizmo").balance();
  }

  @Test
  @Attacks("reservation.fence")
  void aReserveBehindItsOwnCancelIsRefused() {
    stocks.cancel("late");
    assertThat(stocks.reserve(Reservation.of("late", "widget", 1)).isReserved()).isFalse();
  }

  /** Cancels what there is, and leaves no row where there is nothing. */
  @Test
  void withoutTheFenceALateReserveHoldsUnitsThatNobodyGivesBack() throws SQLException {
    stocks.mutate("resolve_reservation", "if not found and not p_confirms then", "if false then");
    stocks.cancel("late");
    assertThat(stocks.reserve(Reservation.of("late", "widget", 1)).isReserved()).isTrue();
  }

  @Test
  @Attacks("reservation.once")
  void ofTwoThatResolveOneDoes() throws Exception {
    assertThat(bothResolve()).isFalse();
    stocks.assertBalanced();
  }

  /** Decides by what it has read, without locking it. */
  @Test
  void withoutTheRowsLockBothResolve() throws Exception {
    stocks.mutate(
        "resolve_reservation",
        "select * into r from ${schema}.reservation x where x.id = p_id for no key update;\n  if",
        "select * into r from ${schema}.reservation x where x.id = p_id;\n  if");
    stocks.execute("drop trigger resolved_once on ${schema}.reservation");
    assertThat(bothResolve()).isTrue();
  }

  /** The same, with the table on guard: the second is stopped. */
  @Test
  void withoutTheRowsLockTheTableStopsTheSecond() throws Exception {
    stocks.mutate(
        "resolve_reservation",
        "select * into r from ${schema}.reservation x where x.id = p_id for no key update;\n  if",
        "select * into r from ${schema}.reservation x where x.id = p_id;\n  if");
    assertThat(bothResolve()).isFalse();
    stocks.assertBalanced();
  }

  private boolean bothResolve() throws Exception {
    stocks.reserve(Reservation.of("a", "widget", 3));
    try (Session one = new Session(stocks);
        Session other = new Session(stocks)) {
      Resolved confirmed = one.run(tx -> stocks.reservations.confirm(tx, "a"));
      CompletableFuture<Resolved> cancelling =
          other.begin(tx -> stocks.reservations.cancel(tx, "a"));
      one.commit();
      Resolved cancelled;
      try {
        cancelled = Session.result(cancelling);
      } catch (ExecutionException e) {
        other.rollback();
        return false;
      }
      other.commit();
      return confirmed.first() && cancelled.first();
    }
  }

  @Test
  @Attacks("reservation.expiry")
  void whatSomebodyIsCancellingIsNotExpiredMeanwhile() throws Exception {
    assertThat(isExpiredThoughCancelled()).isFalse();
    stocks.assertBalanced();
  }

  /** Expires what it has found to be due without asking again when it has the row. */
  @Test
  void withoutLookingAgainWhatIsCancelledIsGivenBackTwice() throws Exception {
    stocks.mutate("expire_reservations", "    for no key update skip locked\n", "");
    stocks.execute("drop trigger resolved_once on ${schema}.reservation");
    assertThat(isExpiredThoughCancelled()).isTrue();
    assertThat(stocks.level("widget").balance()).as("units out of nothing").isNotZero();
  }

  private boolean isExpiredThoughCancelled() throws Exception {
    stocks.reserve(Reservation.of("a", "widget", 3));
    try (Session slow = new Session(stocks);
        Session upkeep = new Session(stocks)) {
      slow.run(tx -> stocks.reservations.cancel(tx, "a"));
      // It is due before that is committed.
      CompletableFuture<String> expiring =
          upkeep.begin(
              tx -> {
                tx.update(
                    stocks.in(
                        "create or replace function ${schema}.now() returns timestamptz language"
                            + " sql stable as 'select clock_timestamp() + interval ''1 day'''"));
                return Step.EXPIRE.run(stocks, tx, Reservation.of("a", "widget", 3));
              });
      slow.commit();
      boolean expired = Session.result(expiring).equals("1");
      upkeep.commit();
      return expired;
    }
  }

  @Test
  @Attacks("reservation.deadlock")
  void transactionsThatNameStocksInAnyOrderDoNotMeetInADeadlock() throws Exception {
    pauseBetweenStocks();
    assertThat(deadlocked()).isFalse();
    stocks.assertBalanced();
  }

  /** Locks in the order in which the caller names them. */
  @Test
  void withoutAnOrderTheyDo() throws Exception {
    pauseBetweenStocks();
    stocks.mutate(
        "reserve",
        """
            select array_agg(u.name order by u.name collate "C"),
                   array_agg(u.quantity order by u.name collate "C")
        """,
        "    select array_agg(u.name), array_agg(u.quantity)\n");
    assertThat(deadlocked()).isTrue();
  }

  /** As on a busy system. Each has one stripe, so that it is waited for. */
  private void pauseBetweenStocks() throws SQLException {
    stocks.mutate(
        "take_any", "declare\n", "declare\n  pause boolean := pg_sleep(1) is not null;\n");
  }

  private boolean deadlocked() throws Exception {
    try (Session one = new Session(stocks);
        Session other = new Session(stocks)) {
      CompletableFuture<Boolean> ascending =
          CompletableFuture.supplyAsync(
              () -> reserves(one, "a", "{gadget,widget}"), Session.THREADS);
      CompletableFuture<Boolean> descending =
          CompletableFuture.supplyAsync(
              () -> reserves(other, "b", "{widget,gadget}"), Session.THREADS);
      boolean first = Session.result(ascending);
      return !Session.result(descending) || !first;
    }
  }

  /** By SQL, since the library names them in order, too; false when there was a deadlock. */
  private boolean reserves(Session session, String id, String names) {
    try (Statement statement = session.connection().createStatement();
        ResultSet row =
            statement.executeQuery(
                stocks.in(
                    "select answer from ${schema}.reserve('%s', '%s', '{1,1}', 60000)"
                        .formatted(id, names)))) {
      row.next();
      assertThat(row.getString(1)).isEqualTo("RESERVED");
      session.commit();
      return true;
    } catch (SQLException e) {
      assertThat(e.getSQLState()).isEqualTo("40P01");
      return false;
    }
  }

  @Test
  @Attacks("reservation.never-oversold")
  void whatIsForgottenStaysCounted() throws SQLException {
    stocks.reserve(Reservation.of("a", "widget", 3));
    stocks.confirm("a");
    stocks.execute("update ${schema}.reservation_settings set retention_ms = 1000");
    try (StoreClock clock = StoreClock.of(Stocks.dataSource(), stocks.schema)) {
      clock.advance(Duration.ofMinutes(1));
      for (int round : List.of(1, 2)) {
        assertThat(stocks.holdfast.store().reservations().forget(10)).isEqualTo(round == 1 ? 1 : 0);
      }
      assertThat(stocks.level("widget")).isEqualTo(new Stocks.Level(5, 2, 0, 3, 0));
    }
  }
}
