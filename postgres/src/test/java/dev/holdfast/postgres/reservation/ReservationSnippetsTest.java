package dev.holdfast.postgres.reservation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Holdfast;
import dev.holdfast.StaleVersion;
import dev.holdfast.reservation.LockNotHeld;
import dev.holdfast.reservation.LockResult;
import dev.holdfast.reservation.Reread;
import dev.holdfast.reservation.Reservation;
import dev.holdfast.reservation.Reservations;
import dev.holdfast.reservation.ReserveResult;
import dev.holdfast.reservation.Resolved;
import dev.holdfast.reservation.SemanticLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The code of {@code docs/reservations.md}. */
final class ReservationSnippetsTest {
  private final Stocks stocks = new Stocks();

  @AfterEach
  void end() {
    stocks.close();
  }

  @Test
  void heldThenConfirmed() throws SQLException {
    reserveAndConfirm(stocks.holdfast, "17");

    assertThat(stocks.level("seats")).isEqualTo(new Stocks.Level(200, 198, 0, 2, 0));
  }

  private static void reserveAndConfirm(Holdfast holdfast, String orderId) {
    // snippet:reservation
    Reservations reservations = holdfast.reservations();
    holdfast.transact(tx -> reservations.setCapacity(tx, "seats", 200));

    Reservation wanted =
        Reservation.of("order-" + orderId, "seats", 2).holdFor(Duration.ofMinutes(15));
    ReserveResult result = holdfast.transactReturning(tx -> reservations.reserve(tx, wanted));
    // Reserved, Insufficient, AlreadyResolved or TooLate. Then the payment, which takes its time.
    if (result.isReserved()) {
      holdfast.transact(
          tx -> {
            reservations.confirm(tx, "order-" + orderId).orThrow(); // or cancel
            // and what else is changed by the order being paid, in the same commit
          });
    }
    // end
  }

  @Test
  void severalStocksAndAPart() throws SQLException {
    stocks.with("seats", 200, 8).with("meals", 100, 8);
    severalAndPart(stocks.holdfast, stocks.reservations);

    assertThat(stocks.level("meals")).isEqualTo(new Stocks.Level(100, 99, 0, 1, 0));
    assertThat(stocks.level("seats").confirmed()).isEqualTo(2);
  }

  private static void severalAndPart(Holdfast holdfast, Reservations reservations) {
    // snippet:reservation-several
    Reservation wanted =
        Reservation.of("order-18", "seats", 2)
            .and("meals", 2) // all of them, or none
            .notAfter(Instant.now().plus(Duration.ofDays(6))); // see below
    holdfast.transact(tx -> reservations.reserve(tx, wanted).orThrow());

    Resolved resolved =
        holdfast.transactReturning(
            tx -> reservations.confirm(tx, "order-18", Map.of("seats", 2L, "meals", 1L)));
    // resolved.state() says what it is, by this call or one before; one meal is given back
    // end
    assertThat(resolved.asAsked()).isTrue();
  }

  @Test
  void theViews() throws IOException, SQLException {
    stocks.execute(sql("reservation-views").replace("holdfast.", stocks.schema + "."));
  }

  /** The block of the page that follows this name. */
  private static String sql(String name) throws IOException {
    String page = Files.readString(Path.of("../docs/reservations.md"));
    String begin = "<!-- snippet:" + name + " -->\n```sql\n";
    int from = page.indexOf(begin) + begin.length();
    assertThat(page).contains(begin);
    return page.substring(from, page.indexOf("```", from));
  }

  @Test
  void aLockBetweenSteps() {
    stocks.holdfast.transact(tx -> tx.update(stocks.in("create table ${schema}.o (id text)")));
    SemanticLock lock = lockStep(stocks.holdfast, "17");
    laterStep(stocks.holdfast, lock);

    assertThatThrownBy(() -> laterStep(stocks.holdfast, lock)).isInstanceOf(LockNotHeld.class);
  }

  private static SemanticLock lockStep(Holdfast holdfast, String orderId) {
    // snippet:semantic-lock
    LockResult result =
        holdfast.transactReturning(
            tx ->
                holdfast
                    .semanticLocks()
                    .acquire(tx, "order/" + orderId, "saga-1", Duration.ofMinutes(5)));
    // Acquired, or HeldByOther, who says whose it is and until when
    SemanticLock lock = result.orThrow();
    // end
    return lock;
  }

  private static void laterStep(Holdfast holdfast, SemanticLock lock) {
    // snippet:semantic-lock-require
    holdfast.transact(
        tx -> {
          holdfast.semanticLocks().require(tx, lock); // LockNotHeld rolls this step back
          // the step's changes
          holdfast.semanticLocks().release(tx, lock); // in the last step
        });
    // end
  }

  @Test
  void whatWasRead() throws SQLException {
    stocks.execute(
        "create table ${schema}.offer (id text primary key, price numeric, discount numeric);"
            + " insert into ${schema}.offer values ('o', 10, 1)");
    String query = stocks.in("select price, discount from ${schema}.offer where id = ?");
    decide(stocks.holdfast, query, "o", stocks.in("update ${schema}.offer set price = price"));

    assertThatThrownBy(
            () ->
                decide(
                    stocks.holdfast, query, "o", stocks.in("update ${schema}.offer set price = 9")))
        .isInstanceOf(StaleVersion.class);
  }

  private static void decide(Holdfast holdfast, String query, String id, String meanwhile) {
    // snippet:reread
    String seen = holdfast.transactReturning(tx -> Reread.digest(tx, query, id));
    // end
    holdfast.transact(tx -> tx.update(meanwhile));
    // snippet:reread-verify
    holdfast.transact(
        tx -> {
          Reread.verify(tx, seen, query, id); // StaleVersion when it has changed
          // what was decided on by it
        });
    // end
  }
}
