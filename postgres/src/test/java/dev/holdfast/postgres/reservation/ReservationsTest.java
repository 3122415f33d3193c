package dev.holdfast.postgres.reservation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Isolation;
import dev.holdfast.NoTransaction;
import dev.holdfast.TransactionOptions;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.StoreClock;
import dev.holdfast.outbox.store.OperationEvent;
import dev.holdfast.reservation.Reservation;
import dev.holdfast.reservation.ReservationMismatch;
import dev.holdfast.reservation.ReservationRefused;
import dev.holdfast.reservation.ReservationState;
import dev.holdfast.reservation.ReserveResult;
import dev.holdfast.reservation.ReserveResult.AlreadyResolved;
import dev.holdfast.reservation.ReserveResult.Insufficient;
import dev.holdfast.reservation.ReserveResult.Reserved;
import dev.holdfast.reservation.Resolved;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a reservation does and refuses, one transaction at a time. */
final class ReservationsTest {
  private final Stocks stocks = new Stocks().with("widget", 10, 4).with("gadget", 5, 1);

  @AfterEach
  void end() throws SQLException {
    stocks.assertBalanced();
    stocks.close();
  }

  private long available(String stock) {
    return stocks.available(stock);
  }

  private ReservationState state(String id) {
    return stocks.state(id);
  }

  private long add(String stock, long units) {
    return stocks.tx(tx -> stocks.reservations.addCapacity(tx, stock, units));
  }

  @Test
  void heldConfirmedAndGivenBack() throws SQLException {
    assertThat(stocks.reserve(Reservation.of("a", "widget", 3))).isInstanceOf(Reserved.class);
    assertThat(stocks.level("widget")).isEqualTo(new Stocks.Level(10, 7, 3, 0, 0));

    Resolved confirmed = stocks.confirm("a");
    assertThat(confirmed.state()).isEqualTo(ReservationState.CONFIRMED);
    assertThat(confirmed.confirmed()).containsExactly(Map.entry("widget", 3L));
    assertThat(stocks.level("widget")).isEqualTo(new Stocks.Level(10, 7, 0, 3, 0));

    stocks.reserve(Reservation.of("b", "widget", 7));
    assertThat(available("widget")).isZero();
    assertThat(stocks.cancel("b").orThrow().state()).isEqualTo(ReservationState.CANCELLED);
    assertThat(stocks.level("widget")).isEqualTo(new Stocks.Level(10, 7, 0, 3, 0));
  }

  @Test
  void nothingIsLeftOfATransactionThatRollsBack() throws SQLException {
    stocks.reserve(Reservation.of("held", "widget", 1));
    for (Step step : Step.values()) {
      assertThatThrownBy(
              () ->
                  stocks.tx(
                      tx -> {
                        step.run(stocks, tx, Reservation.of("new", "widget", 2));
                        step.run(stocks, tx, Reservation.of("held", "widget", 1));
                        throw new IllegalStateException("no");
                      }))
          .hasMessage("no");
    }
    assertThat(state("new")).isEqualTo(ReservationState.NONE);
    assertThat(state("held")).isEqualTo(ReservationState.HELD);
    assertThat(stocks.level("widget")).isEqualTo(new Stocks.Level(10, 9, 1, 0, 0));
  }

  @Test
  @Attacks("reservation.answer")
  void askedAgainItAnswersTheSameAndTakesNothing() throws SQLException {
    Reservation reservation = Reservation.of("a", "widget", 3).and("gadget", 1);
    Reserved first = (Reserved) stocks.reserve(reservation);
    Reserved second = (Reserved) stocks.reserve(reservation.holdFor(Duration.ofHours(3)));
    assertThat(first.repeated()).isFalse();
    assertThat(second.repeated()).isTrue();
    assertThat(second.expiresAt()).isEqualTo(first.expiresAt());
    assertThat(stocks.level("widget").held()).isEqualTo(3);

    Resolved confirmed = stocks.confirm("a");
    Resolved repeated = stocks.confirm("a");
    assertThat(confirmed.first()).isTrue();
    assertThat(repeated.first()).isFalse();
    assertThat(repeated.asAsked()).isTrue();
    assertThat(repeated.confirmed()).isEqualTo(confirmed.confirmed());
    assertThat(repeated.operationId()).isEqualTo(confirmed.operationId()).isNotNull();
    assertThat(stocks.reserve(reservation))
        .isEqualTo(new AlreadyResolved(ReservationState.CONFIRMED));

    stocks.cancel("b");
    assertThat(stocks.cancel("b").asAsked()).isTrue();
    assertThat(stocks.cancel("b").first()).isFalse();
  }

  @Test
  @Attacks("reservation.answer")
  void otherContentUnderTheSameIdIsRefused() throws SQLException {
    stocks.reserve(Reservation.of("a", "widget", 3));
    for (Reservation other :
        new Reservation[] {
          Reservation.of("a", "widget", 4),
          Reservation.of("a", "gadget", 3),
          Reservation.of("a", "widget", 3).and("gadget", 1)
        }) {
      assertThatThrownBy(() -> stocks.reserve(other))
          .isInstanceOf(ReservationMismatch.class)
          .hasMessageContaining("under the id a");
    }
    stocks.tx(tx -> stocks.reservations.confirm(tx, "a", Map.of("widget", 2L)));
    assertThatThrownBy(() -> stocks.confirm("a"))
        .isInstanceOf(ReservationMismatch.class)
        .hasMessageContaining("{widget=2}");
    assertThat(stocks.level("widget")).isEqualTo(new Stocks.Level(10, 8, 0, 2, 0));
  }

  @Test
  void theOppositeIsRefusedAndSaid() {
    stocks.reserve(Reservation.of("a", "widget", 1));
    stocks.confirm("a");
    Resolved cancelled = stocks.cancel("a");
    assertThat(cancelled.asAsked()).isFalse();
    assertThat(cancelled.state()).isEqualTo(ReservationState.CONFIRMED);
    assertThatThrownBy(cancelled::orThrow)
        .isInstanceOf(ReservationRefused.class)
        .hasMessageContaining("CONFIRMED");

    stocks.reserve(Reservation.of("b", "widget", 1));
    stocks.cancel("b");
    assertThat(stocks.confirm("b").asAsked()).isFalse();
    assertThat(stocks.confirm("nobody").state()).isEqualTo(ReservationState.NONE);
    assertThat(stocks.confirm("nobody").asAsked()).isFalse();
  }

  @Test
  void whatIsNotConfirmedIsGivenBack() throws SQLException {
    stocks.reserve(Reservation.of("a", "widget", 6).and("gadget", 5));
    Resolved confirmed =
        stocks.tx(tx -> stocks.reservations.confirm(tx, "a", Map.of("widget", 2L)));
    assertThat(confirmed.confirmed()).containsExactly(Map.entry("widget", 2L));
    assertThat(stocks.level("widget")).isEqualTo(new Stocks.Level(10, 8, 0, 2, 0));
    assertThat(stocks.level("gadget")).isEqualTo(new Stocks.Level(5, 5, 0, 0, 0));

    stocks.reserve(Reservation.of("b", "widget", 2));
    for (Map<String, Long> tooMuch : List.of(Map.of("widget", 3L), Map.of("gadget", 1L))) {
      assertThatThrownBy(() -> stocks.tx(tx -> stocks.reservations.confirm(tx, "b", tooMuch)))
          .isInstanceOf(ReservationRefused.class)
          .hasMessageContaining("still held");
    }
    assertThat(state("b")).isEqualTo(ReservationState.HELD);
  }

  @Test
  @Attacks("reservation.never-oversold")
  void moreThanThereIsIsNotHeld() throws SQLException {
    assertThat(stocks.reserve(Reservation.of("a", "widget", 11)))
        .isEqualTo(new Insufficient("widget", 10));
    // In pieces, out of stripes that hold less than is asked for.
    assertThat(stocks.reserve(Reservation.of("b", "widget", 9)).isReserved()).isTrue();
    ReserveResult refused = stocks.reserve(Reservation.of("c", "widget", 2));
    assertThat(refused).isEqualTo(new Insufficient("widget", 1));
    assertThatThrownBy(refused::orThrow).isInstanceOf(ReservationRefused.class);
    assertThat(state("c")).isEqualTo(ReservationState.NONE);
    assertThat(stocks.reserve(Reservation.of("c", "widget", 1)).isReserved()).isTrue();
    assertThat(available("widget")).isZero();
  }

  @Test
  void ofSeveralStocksAllAreHeldOrNone() throws SQLException {
    assertThat(stocks.reserve(Reservation.of("a", "widget", 3).and("gadget", 6)))
        .isEqualTo(new Insufficient("gadget", 5));
    // Enough to be seen, and held by somebody else: found out with the first one's units in hand.
    assertThat(stocks.reserve(Reservation.of("b", "gadget", 5).and("widget", 10)).isReserved())
        .isTrue();
    assertThat(stocks.reserve(Reservation.of("c", "widget", 1).and("gadget", 1)).isReserved())
        .isFalse();
    stocks.cancel("b");
    assertThat(available("widget")).isEqualTo(10);
    assertThat(available("gadget")).isEqualTo(5);
  }

  @Test
  void stocksThatAreNotThereAreNamed() {
    assertThatThrownBy(() -> stocks.reserve(Reservation.of("a", "widget", 1).and("gizmo", 1)))
        .isInstanceOf(ReservationRefused.class)
        .hasMessageContaining("no stock gizmo");
    assertThat(state("a")).isEqualTo(ReservationState.NONE);
  }

  @Test
  @Attacks("reservation.fence")
  void aLateReserveFindsItsIdCancelled() throws SQLException {
    Resolved fenced = stocks.cancel("late");
    assertThat(fenced.first()).isTrue();
    assertThat(fenced.asAsked()).isTrue();
    assertThat(stocks.reserve(Reservation.of("late", "widget", 1)))
        .isEqualTo(new AlreadyResolved(ReservationState.CANCELLED));
    assertThat(stocks.confirm("late").state()).isEqualTo(ReservationState.CANCELLED);
    assertThat(available("widget")).isEqualTo(10);
  }

  @Test
  @Attacks("reservation.expiry")
  void fromItsExpiryOnNobodyCanConfirmIt() throws SQLException {
    stocks.reserveUntilDue(Reservation.of("a", "widget", 4));
    assertThat(state("a")).isEqualTo(ReservationState.EXPIRED);
    Resolved refused = stocks.confirm("a");
    assertThat(refused.asAsked()).isFalse();
    assertThat(refused.state()).isEqualTo(ReservationState.EXPIRED);
    assertThat(refused.operationId()).isNull();
    assertThat(stocks.level("widget")).isEqualTo(new Stocks.Level(10, 10, 0, 0, 0));
    // Whoever wants it to hold nothing has it.
    assertThat(stocks.cancel("a").asAsked()).isTrue();
  }

  @Test
  @Attacks("reservation.expiry")
  void whoNeedsTheUnitsTakesThemFromWhatIsDue() throws SQLException {
    stocks.reserveUntilDue(Reservation.of("a", "widget", 6).and("gadget", 2));
    stocks.reserveUntilDue(Reservation.of("b", "widget", 4));
    assertThat(available("widget")).isEqualTo(10);
    assertThat(stocks.reserve(Reservation.of("c", "widget", 10)).isReserved()).isTrue();
    assertThat(state("a")).isEqualTo(ReservationState.EXPIRED);
    assertThat(stocks.level("widget")).isEqualTo(new Stocks.Level(10, 0, 10, 0, 0));
    assertThat(stocks.level("gadget")).isEqualTo(new Stocks.Level(5, 5, 0, 0, 0));
  }

  @Test
  void capacityIsRaisedAndNotLoweredBelowWhatIsTaken() throws SQLException {
    stocks.reserve(Reservation.of("a", "widget", 6));
    stocks.confirm("a");
    stocks.reserve(Reservation.of("b", "widget", 2));
    assertThatThrownBy(() -> stocks.with("widget", 7, 4))
        .isInstanceOf(ReservationRefused.class)
        .hasMessageContaining("nothing was changed");
    stocks.with("widget", 8, 4);
    assertThat(stocks.level("widget")).isEqualTo(new Stocks.Level(8, 0, 2, 6, 0));
    assertThat(add("widget", 5)).isEqualTo(13);
    assertThatThrownBy(() -> add("widget", -6)).isInstanceOf(ReservationRefused.class);
    assertThat(add("widget", -5)).isEqualTo(8);
    assertThatThrownBy(() -> add("gizmo", 1))
        .isInstanceOf(ReservationRefused.class)
        .hasMessageContaining("no stock gizmo");
    // What is due gives way.
    stocks.reserveUntilDue(Reservation.of("c", "gadget", 5));
    stocks.with("gadget", 0, 1);
    assertThat(state("c")).isEqualTo(ReservationState.EXPIRED);
  }

  @Test
  void stripesCanBeChanged() throws SQLException {
    stocks.reserve(Reservation.of("a", "widget", 3));
    for (int stripes : new int[] {8, 2, 1, 16}) {
      stocks.with("widget", 10, stripes);
      assertThat(stocks.ask("select count(*) from ${schema}.stock_stripe where stock = 'widget'"))
          .isEqualTo(stripes);
      assertThat(stocks.level("widget")).isEqualTo(new Stocks.Level(10, 7, 3, 0, 0));
    }
  }

  @Test
  @Attacks("reservation.kept")
  void whatIsResolvedIsKeptForTheRetentionAndCountedAfterIt() throws SQLException {
    try (StoreClock clock = StoreClock.of(Stocks.dataSource(), stocks.schema)) {
      stocks.reservations.keepFor(Duration.ofHours(1));
      stocks.reserve(Reservation.of("sold", "widget", 4));
      stocks.confirm("sold");
      stocks.cancel("fenced");
      clock.advance(Duration.ofMinutes(59));
      stocks.stepper.upkeep();
      assertThat(state("sold")).isEqualTo(ReservationState.CONFIRMED);
      assertThat(state("fenced")).isEqualTo(ReservationState.CANCELLED);

      clock.advance(Duration.ofMinutes(2));
      stocks.stepper.upkeep();
      assertThat(state("sold")).isEqualTo(ReservationState.NONE);
      assertThat(stocks.level("widget")).isEqualTo(new Stocks.Level(10, 6, 0, 4, 0));
      // A message that is delivered only now reserves anew, unless it says that this is too late.
      Reservation late = Reservation.of("fenced", "widget", 1);
      assertThat(stocks.reserve(late.notAfter(clock.now().minusSeconds(60))))
          .isInstanceOf(ReserveResult.TooLate.class);
      assertThat(stocks.reserve(late.notAfter(clock.now().plusSeconds(60))).isReserved()).isTrue();
    }
  }

  @Test
  void aRepeatIsAnsweredThoughItIsTooLateToReserve() {
    Reservation reservation = Reservation.of("a", "widget", 1);
    stocks.reserve(reservation);
    assertThat(stocks.reserve(reservation.notAfter(Instant.EPOCH)).isReserved()).isTrue();
  }

  @Test
  @Attacks("reservation.recovery")
  void theUpkeepExpiresFoldsAndForgets() throws SQLException {
    try (StoreClock clock = StoreClock.of(Stocks.dataSource(), stocks.schema)) {
      stocks.reserve(Reservation.of("a", "widget", 6));
      stocks.reserve(Reservation.of("b", "widget", 4));
      clock.advance(Duration.ofMinutes(16));
      stocks.stepper.upkeep();
      assertThat(stocks.ask("select sum(free) from ${schema}.stock_stripe where stock = 'widget'"))
          .isEqualTo(10);
      assertThat(stocks.ask("select count(*) from ${schema}.stock_change")).isZero();
      assertThat(stocks.ask("select count(*) from ${schema}.reservation where state = 'EXPIRED'"))
          .isEqualTo(2);
      clock.advance(Duration.ofDays(8));
      stocks.stepper.upkeep();
      assertThat(stocks.ask("select count(*) from ${schema}.reservation")).isZero();
    }
  }

  @Test
  @Attacks("reservation.recovery")
  void aProcessThatRunsTheUpkeepGivesBackWhatNobodyResolves() {
    try (Holdfast upkeep =
        Holdfast.on(Stocks.dataSource()).schema(stocks.schema).withUpkeep().start()) {
      assertThat(upkeep.status()).isEmpty();
      stocks.reserve(Reservation.of("a", "widget", 10).holdFor(Duration.ofMillis(100)));
      await()
          .until(
              () ->
                  stocks.ask("select sum(free) from ${schema}.stock_stripe where stock = 'widget'")
                      == 10);
      assertThat(stocks.confirm("a").first()).isFalse();
    }
  }

  @Test
  void underRepeatableReadWhatChangedSinceTheSnapshotIsRunAgain() throws SQLException {
    TransactionOptions strict = TransactionOptions.DEFAULT.withIsolation(Isolation.REPEATABLE_READ);
    AtomicInteger attempts = new AtomicInteger();
    boolean reserved =
        stocks.holdfast.transactReturning(
            strict,
            tx -> {
              assertThat(stocks.reservations.available(tx, "gadget")).isPositive();
              if (attempts.incrementAndGet() == 1) {
                stocks.reserve(Reservation.of("other", "gadget", 3));
              }
              return stocks.reservations.reserve(tx, Reservation.of("a", "gadget", 3)).isReserved();
            });
    assertThat(attempts).hasValue(2);
    assertThat(reserved).isFalse();
    assertThat(stocks.level("gadget").held()).isEqualTo(3);
  }

  @Test
  void theTimelineOfAnOperationShowsWhatItReservedAndOwes() throws SQLException {
    TransactionOptions options = TransactionOptions.DEFAULT.withOperationId("order-17");
    stocks.holdfast.transact(
        options,
        tx -> {
          stocks.reservations.reserve(tx, Reservation.of("a", "widget", 3).and("gadget", 1));
          stocks.reservations.reserve(tx, Reservation.of("b", "widget", 1));
          stocks.reservations.confirm(tx, "b");
        });
    assertThat(stocks.holdfast.store().operations().of("order-17", 10))
        .extracting(OperationEvent::what, OperationEvent::state, OperationEvent::owedBy)
        .contains(
            tuple("reserve a", OperationEvent.State.DONE, null),
            tuple("confirm or cancel a", OperationEvent.State.WAITING, "whoever has reserved it"),
            tuple("reserve b", OperationEvent.State.DONE, null),
            tuple("confirm b", OperationEvent.State.DONE, null));
  }

  @Test
  void outsideOfATransactionNothingIsDone() throws SQLException {
    try (Connection connection = Stocks.dataSource().getConnection()) {
      assertThatThrownBy(
              () ->
                  stocks
                      .holdfast
                      .store()
                      .reservations()
                      .reserve(connection, Reservation.of("a", "widget", 1), "op"))
          .isInstanceOf(NoTransaction.class);
      assertThatThrownBy(() -> stocks.holdfast.store().reservations().cancel(connection, "a", "op"))
          .isInstanceOf(NoTransaction.class);
    }
    assertThat(state("a")).isEqualTo(ReservationState.NONE);
  }

  @Test
  void boundsAreCheckedBeforeAnythingIsAsked() {
    assertThatThrownBy(() -> Reservation.of("", "widget", 1)).hasMessageContaining("1 to 200");
    assertThatThrownBy(() -> Reservation.of("a", "widget", 0)).hasMessageContaining("1 or more");
    assertThatThrownBy(() -> Reservation.of("a", "widget", 1).and("widget", 2))
        .hasMessageContaining("twice");
    assertThatThrownBy(() -> Reservation.of("a", "widget", 1).holdFor(Duration.ZERO))
        .hasMessageContaining("1 ms to a year");
    assertThatThrownBy(() -> stocks.reservations.keepFor(Duration.ofDays(400)))
        .isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> stocks.with("widget", -1, 4)).hasMessageContaining("0 to 10^18");
  }
}
