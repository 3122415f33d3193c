package dev.holdfast.postgres.reservation;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.postgres.RoundTrips;
import dev.holdfast.reservation.Reservation;
import dev.holdfast.reservation.ReserveResult;
import dev.holdfast.reservation.SemanticLock;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who waits for whom, and what an operation costs. */
final class EscrowTest {
  private static final int TIMES = 20;

  private final Stocks stocks = new Stocks();

  @AfterEach
  void end() throws SQLException {
    stocks.assertBalanced();
    stocks.close();
  }

  /** Whether another one that reserves waits for one whose transaction is open. */
  private boolean waits(int stripes) throws Exception {
    stocks.with("widget", 800, stripes);
    try (Session one = new Session(stocks);
        Session other = new Session(stocks)) {
      one.run(tx -> stocks.reservations.reserve(tx, Reservation.of("a", "widget", 1)));
      CompletableFuture<ReserveResult> late =
          other.begin(tx -> stocks.reservations.reserve(tx, Reservation.of("b", "widget", 1)));
      boolean waited = !late.isDone();
      one.commit();
      assertThat(Session.result(late).isReserved()).isTrue();
      other.commit();
      return waited;
    }
  }

  @Test
  @Attacks("reservation.waits")
  void whileThereIsPlentyNobodyWaitsForAnother() throws Exception {
    assertThat(waits(8)).isFalse();
  }

  /** The negative control: a stock in one piece. */
  @Test
  void inOnePieceTheyWait() throws Exception {
    assertThat(waits(1)).isTrue();
  }

  @Test
  @Attacks("reservation.waits")
  void asManyAsThereAreStripesReserveAtOnce() throws Exception {
    stocks.with("widget", 800, 8);
    Session[] sessions = new Session[8];
    for (int i = 0; i < sessions.length; i++) {
      sessions[i] = new Session(stocks);
      String id = "r" + i;
      assertThat(
              sessions[i]
                  .begin(tx -> stocks.reservations.reserve(tx, Reservation.of(id, "widget", 100)))
                  .isDone())
          .isTrue();
    }
    // Nothing is left, if they commit; so whoever comes next has to wait for what becomes of them.
    try (Session ninth = new Session(stocks)) {
      CompletableFuture<ReserveResult> late =
          ninth.begin(tx -> stocks.reservations.reserve(tx, Reservation.of("r8", "widget", 1)));
      assertThat(late.isDone()).isFalse();
      for (int i = 0; i < sessions.length; i++) {
        if (i == 5) {
          sessions[i].rollback();
        } else {
          sessions[i].commit();
        }
        sessions[i].close();
      }
      assertThat(Session.result(late).isReserved()).isTrue();
      ninth.commit();
    }
    assertThat(stocks.level("widget").held()).isEqualTo(701);
  }

  @Test
  @Attacks("reservation.waits")
  void whoeverResolvesWaitsForNobodyElseAndKeepsNobodyWaiting() throws Exception {
    stocks.with("widget", 10, 1);
    stocks.reserve(Reservation.of("a", "widget", 1));
    stocks.reserve(Reservation.of("b", "widget", 1));
    stocks.reserve(Reservation.of("c", "widget", 1));
    try (Session reserving = new Session(stocks);
        Session confirming = new Session(stocks);
        Session cancelling = new Session(stocks)) {
      reserving.run(tx -> stocks.reservations.reserve(tx, Reservation.of("d", "widget", 1)));
      assertThat(confirming.begin(tx -> stocks.reservations.confirm(tx, "a")).isDone()).isTrue();
      assertThat(cancelling.begin(tx -> stocks.reservations.cancel(tx, "b")).isDone()).isTrue();
      reserving.commit();
      assertThat(
              reserving
                  .begin(tx -> stocks.reservations.reserve(tx, Reservation.of("e", "widget", 6)))
                  .isDone())
          .isTrue();
    }
  }

  /** Too little is told at once, whoever holds what. */
  @Test
  @Attacks("reservation.waits")
  void soldOutLocksNothing() throws Exception {
    stocks.with("widget", 3, 2);
    stocks.reserve(Reservation.of("a", "widget", 3));
    try (Session one = new Session(stocks);
        Session other = new Session(stocks)) {
      for (Session session : new Session[] {one, other}) {
        assertThat(
                session
                    .begin(tx -> stocks.reservations.reserve(tx, Reservation.of("b", "widget", 1)))
                    .get()
                    .isReserved())
            .isFalse();
      }
      assertThat(
              stocks.ask(
                  "select count(*) from pg_stat_activity where backend_xid is not null and pid in (%d, %d)"
                      .formatted(one.pid(), other.pid())))
          .as("transactions that have written")
          .isZero();
    }
  }

  @Test
  void oneRoundTripEach() throws SQLException, IOException {
    stocks.with("widget", 1_000, 8).with("gadget", 1_000, 8);
    try (RoundTrips wire = new RoundTrips(Stocks.server().port());
        HikariDataSource source = Stocks.pool(wire.jdbcUrl(), 1);
        Holdfast holdfast = Holdfast.on(source).schema(stocks.schema).manual().holdfast()) {
      int nothing =
          cost(wire, holdfast, (tx, id) -> tx.update("set local application_name = 'nothing'"));
      int reserve =
          cost(
              wire,
              holdfast,
              (tx, id) ->
                  holdfast
                      .reservations()
                      .reserve(tx, Reservation.of(id, "widget", 1).and("gadget", 2))
                      .orThrow());
      int confirm =
          cost(wire, holdfast, (tx, id) -> holdfast.reservations().confirm(tx, id).orThrow());
      int cancel =
          cost(
              wire,
              holdfast,
              (tx, id) -> holdfast.reservations().cancel(tx, "not-" + id).orThrow());
      int lock =
          cost(
              wire,
              holdfast,
              (tx, id) ->
                  holdfast.semanticLocks().acquire(tx, id, "me", Duration.ofMinutes(1)).orThrow());
      int lockAndRelease =
          cost(
              wire,
              holdfast,
              (tx, id) -> {
                SemanticLock taken =
                    holdfast.semanticLocks().acquire(tx, id, "me", Duration.ofMinutes(1)).orThrow();
                holdfast.semanticLocks().require(tx, taken);
                holdfast.semanticLocks().release(tx, taken);
              });
      assertThat(new int[] {reserve, confirm, cancel, lock})
          .as("a statement, and the commit, which goes with the attempt's row")
          .containsOnly(nothing);
      assertThat(lockAndRelease).isEqualTo(nothing + 2 * TIMES);
      assertThat(nothing).as("one for the statement, one for the commit").isEqualTo(2 * TIMES);
    }
  }

  @FunctionalInterface
  private interface Operation {
    void run(dev.holdfast.Transaction tx, String id) throws SQLException;
  }

  private static int cost(RoundTrips wire, Holdfast holdfast, Operation operation) {
    // Whatever the driver asks the first times.
    for (int i = 0; i < 10; i++) {
      String id = "warm" + i;
      holdfast.transact(tx -> operation.run(tx, id));
    }
    int before = wire.count();
    for (int i = 0; i < TIMES; i++) {
      String id = "id" + i;
      holdfast.transact(tx -> operation.run(tx, id));
    }
    return wire.count() - before;
  }
}
