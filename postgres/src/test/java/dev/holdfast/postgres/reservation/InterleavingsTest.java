package dev.holdfast.postgres.reservation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.postgres.reservation.Step.After;
import dev.holdfast.reservation.Reservation;
import dev.holdfast.reservation.ReservationState;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Two transactions at one reservation, the one after the other and overlapping, from every state,
 * ended in every way: it is always as if one of them had come after the other.
 */
final class InterleavingsTest {
  private static final long QUANTITY = 3;
  private static Stocks stocks;
  private static int ids;

  /** What a reservation is when the two begin. */
  enum Beginning {
    UNKNOWN(ReservationState.NONE),
    HELD(ReservationState.HELD),
    DUE(ReservationState.HELD),
    FENCED(ReservationState.CANCELLED),
    CONFIRMED(ReservationState.CONFIRMED);

    private final ReservationState state;

    Beginning(ReservationState state) {
      this.state = state;
    }

    private boolean isDue() {
      return this == DUE;
    }
  }

  /** How a transaction ends. */
  enum Ending {
    COMMITTED,
    ROLLED_BACK,
    KILLED;

    private void of(Session session) throws SQLException {
      switch (this) {
        case COMMITTED -> session.commit();
        case ROLLED_BACK -> session.rollback();
        case KILLED -> session.kill();
      }
    }
  }

  @BeforeAll
  static void open() {
    stocks = new Stocks().with("widget", 1_000_000, 4);
  }

  @AfterAll
  static void close() {
    stocks.close();
  }

  static Stream<Arguments> pairs() {
    return Stream.of(Beginning.values())
        .flatMap(
            beginning ->
                Stream.of(Step.values())
                    .flatMap(
                        first ->
                            Stream.of(Step.values())
                                .map(second -> Arguments.of(beginning, first, second))));
  }

  @ParameterizedTest(name = "{0}: {1} and {2}")
  @MethodSource("pairs")
  @Attacks({"reservation.once", "reservation.fence", "reservation.expiry"})
  void twoTransactionsAreAsIfOneCameAfterTheOther(Beginning beginning, Step first, Step second)
      throws Exception {
    for (boolean overlapping : List.of(true, false)) {
      for (Ending endsFirst : Ending.values()) {
        // A kill leaves what a rollback leaves, and takes a new connection.
        for (Ending endsSecond :
            endsFirst == Ending.KILLED
                ? List.of(Ending.COMMITTED)
                : List.of(Ending.COMMITTED, Ending.ROLLED_BACK)) {
          run(beginning, first, second, overlapping, endsFirst, endsSecond);
        }
      }
    }
  }

  private static void run(
      Beginning beginning,
      Step first,
      Step second,
      boolean overlapping,
      Ending endsFirst,
      Ending endsSecond)
      throws Exception {
    Reservation reservation = begin(beginning);
    String firstSaid;
    String secondSaid;
    try (Session one = new Session(stocks);
        Session other = new Session(stocks)) {
      firstSaid = one.run(tx -> first.run(stocks, tx, reservation));
      if (overlapping) {
        CompletableFuture<String> late = other.begin(tx -> second.run(stocks, tx, reservation));
        endsFirst.of(one);
        secondSaid = Session.result(late);
      } else {
        endsFirst.of(one);
        secondSaid = other.run(tx -> second.run(stocks, tx, reservation));
      }
      endsSecond.of(other);
    }
    String history =
        "%s, %s %s said %s, %s %s said %s, %s"
            .formatted(
                beginning,
                first,
                endsFirst,
                firstSaid,
                second,
                endsSecond,
                secondSaid,
                overlapping ? "overlapping" : "apart");
    ReservationState state = stateOf(reservation);
    List<ReservationState> expected = new ArrayList<>();
    boolean firstCounts = endsFirst == Ending.COMMITTED;
    boolean secondCounts = endsSecond == Ending.COMMITTED;
    // The one before the other.
    serially(beginning, first, firstSaid, firstCounts, second, secondSaid, secondCounts, expected);
    if (overlapping) {
      serially(
          beginning, second, secondSaid, secondCounts, first, firstSaid, firstCounts, expected);
      if (second == Step.EXPIRE && secondSaid.equals("0")) {
        // It passes over what somebody has in hand, and comes again.
        After alone = first.after(beginning.state, beginning.isDue());
        expected.add(firstCounts ? alone.state() : beginning.state);
      }
    }
    assertThat(expected).as(history).contains(state);
    assertBooks(reservation, state, history);
    // What a test leaves is not to be expired by the next.
    stocks.cancel(reservation.id());
  }

  /** Adds the state after both, if what was said is what is said in this order. */
  private static void serially(
      Beginning beginning,
      Step one,
      String oneSaid,
      boolean oneCounts,
      Step other,
      String otherSaid,
      boolean otherCounts,
      List<ReservationState> expected) {
    After afterOne = one.after(beginning.state, beginning.isDue());
    ReservationState between = oneCounts ? afterOne.state() : beginning.state;
    After afterBoth = other.after(between, beginning.isDue() && between == ReservationState.HELD);
    if (afterOne.said().equals(oneSaid) && afterBoth.said().equals(otherSaid)) {
      expected.add(otherCounts ? afterBoth.state() : between);
    }
  }

  private static Reservation begin(Beginning beginning) {
    Reservation reservation =
        Reservation.of("i" + ids++, "widget", QUANTITY).holdFor(Duration.ofMinutes(10));
    switch (beginning) {
      case UNKNOWN -> {}
      case HELD -> stocks.reserve(reservation);
      case DUE -> stocks.reserveUntilDue(reservation);
      case FENCED -> stocks.cancel(reservation.id());
      case CONFIRMED -> {
        stocks.reserve(reservation);
        stocks.confirm(reservation.id());
      }
    }
    return reservation;
  }

  private static ReservationState stateOf(Reservation reservation) throws SQLException {
    return ReservationState.valueOf(
        stocks.word(
            "select coalesce(max(state), 'NONE') from ${schema}.reservation where id = '%s'"
                .formatted(reservation.id())));
  }

  /** The units are where the state says, once. */
  private static void assertBooks(Reservation reservation, ReservationState state, String history)
      throws SQLException {
    assertThat(
            stocks.ask(
                "select count(*) from ${schema}.stock_level where name = 'widget' and balance <>"
                    + " 0"))
        .as("out of balance: " + history)
        .isZero();
    long confirmed =
        stocks.ask(
            "select coalesce(sum(confirmed), 0) from ${schema}.reservation_item where id = '%s'"
                .formatted(reservation.id()));
    assertThat(confirmed).as(history).isEqualTo(state == ReservationState.CONFIRMED ? QUANTITY : 0);
  }

  /** What is resolved is resolved for good, even for whoever updates the table. */
  @Test
  @Attacks("reservation.once")
  void theTableItselfRefusesASecondResolution() {
    Reservation reservation = begin(Beginning.CONFIRMED);
    for (String other : List.of("CANCELLED", "EXPIRED", "HELD")) {
      assertThat(
              catchThrowableOfType(
                      SQLException.class,
                      () ->
                          stocks.execute(
                              "update ${schema}.reservation set state = '%s' where id = '%s'"
                                  .formatted(other, reservation.id())))
                  .getSQLState())
          .isEqualTo("HF023");
    }
  }
}
