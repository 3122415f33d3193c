package dev.holdfast.postgres.reservation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.StaleVersion;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.StoreClock;
import dev.holdfast.reservation.LockNotHeld;
import dev.holdfast.reservation.LockResult;
import dev.holdfast.reservation.LockResult.Acquired;
import dev.holdfast.reservation.LockResult.HeldByOther;
import dev.holdfast.reservation.Reread;
import dev.holdfast.reservation.SemanticLock;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who has a lock, for how long, and what those may rely on who had it. */
final class SemanticLocksTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private final Stocks stocks = new Stocks();
  private StoreClock clock;

  @BeforeEach
  void begin() {
    clock = StoreClock.of(Stocks.dataSource(), stocks.schema);
  }

  @AfterEach
  void end() {
    clock.close();
    stocks.close();
  }

  private LockResult acquire(String owner) {
    return stocks.tx(tx -> stocks.locks.acquire(tx, "order/17", owner, MINUTE));
  }

  private boolean holds(SemanticLock lock) {
    try {
      return stocks.tx(
          tx -> {
            stocks.locks.require(tx, lock);
            return true;
          });
    } catch (LockNotHeld e) {
      return false;
    }
  }

  @Test
  @Attacks("isolation.lock.owner")
  void oneHasItAndTheOthersAreToldWhoAndUntilWhen() {
    SemanticLock lock = acquire("saga-1").orThrow();
    LockResult refused = acquire("saga-2");
    assertThat(refused).isEqualTo(new HeldByOther("saga-1", lock.expiresAt()));
    assertThatThrownBy(refused::orThrow).isInstanceOf(LockNotHeld.class);
    assertThat(holds(lock)).isTrue();

    assertThat(stocks.is(tx -> stocks.locks.release(tx, lock))).isTrue();
    assertThat(stocks.is(tx -> stocks.locks.release(tx, lock))).isFalse();
    assertThat(holds(lock)).isFalse();
    assertThat(acquire("saga-2").orThrow().token()).isGreaterThan(lock.token());
  }

  @Test
  void itsOwnerTakesItAgainUnderTheSameToken() {
    SemanticLock lock = acquire("saga-1").orThrow();
    clock.advance(Duration.ofSeconds(30));
    SemanticLock again = acquire("saga-1").orThrow();
    assertThat(again.token()).isEqualTo(lock.token());
    assertThat(again.expiresAt()).isAfter(lock.expiresAt());
    SemanticLock shorter = stocks.tx(tx -> stocks.locks.renew(tx, again, Duration.ofSeconds(1)));
    assertThat(shorter.expiresAt()).isEqualTo(again.expiresAt());
    SemanticLock longer = stocks.tx(tx -> stocks.locks.renew(tx, again, Duration.ofHours(1)));
    assertThat(longer.expiresAt()).isAfter(again.expiresAt());
  }

  @Test
  @Attacks("isolation.lock.owner")
  void whenItHasExpiredAnybodyTakesItOverUnderAGreaterToken() {
    SemanticLock lock = acquire("saga-1").orThrow();
    clock.advance(MINUTE);
    assertThat(holds(lock)).isFalse();
    assertThatThrownBy(() -> stocks.tx(tx -> stocks.locks.renew(tx, lock, MINUTE)))
        .isInstanceOf(LockNotHeld.class)
        .hasMessageContaining("order/17");
    SemanticLock other = acquire("saga-2").orThrow();
    assertThat(other.token()).isGreaterThan(lock.token());
    assertThat(holds(other)).isTrue();
    assertThat(stocks.is(tx -> stocks.locks.release(tx, lock))).isFalse();
    assertThat(holds(other)).isTrue();
    // The owner of before is a stranger.
    assertThat(acquire("saga-1")).isInstanceOf(HeldByOther.class);
  }

  @Test
  @Attacks("isolation.lock.require")
  void whatIsRequiredIsNotTakenOverBeforeTheCommit() throws Exception {
    assertThat(isTakenOverMeanwhile()).isFalse();
  }

  /** The negative control: without a lock on the row, both believe in it at once. */
  @Test
  void withoutTheRowsLockItIsTakenOverMeanwhile() throws Exception {
    stocks.mutate("require_lock", "for share", "");
    assertThat(isTakenOverMeanwhile()).isTrue();
  }

  /** One requires it and goes on; it expires; another takes it. */
  private boolean isTakenOverMeanwhile() throws Exception {
    SemanticLock lock = acquire("saga-1").orThrow();
    try (Session slow = new Session(stocks);
        Session other = new Session(stocks)) {
      slow.run(
          tx -> {
            stocks.locks.require(tx, lock);
            return true;
          });
      clock.advance(MINUTE);
      CompletableFuture<LockResult> taking =
          other.begin(tx -> stocks.locks.acquire(tx, "order/17", "saga-2", MINUTE));
      boolean meanwhile = taking.isDone();
      slow.commit();
      assertThat(Session.result(taking)).isInstanceOf(Acquired.class);
      other.commit();
      return meanwhile;
    }
  }

  @Test
  @Attacks("isolation.lock.owner")
  void ofTwoThatTakeItAtOnceOneHasIt() throws Exception {
    for (boolean expired : new boolean[] {false, true}) {
      if (expired) {
        clock.advance(MINUTE);
      }
      try (Session one = new Session(stocks);
          Session other = new Session(stocks)) {
        SemanticLock lock =
            one.run(tx -> stocks.locks.acquire(tx, "order/17", "saga-1", MINUTE)).orThrow();
        CompletableFuture<LockResult> late =
            other.begin(tx -> stocks.locks.acquire(tx, "order/17", "saga-2", MINUTE));
        one.commit();
        assertThat(Session.result(late)).isEqualTo(new HeldByOther("saga-1", lock.expiresAt()));
      }
    }
  }

  @Test
  void whoeverAsksForALockThatIsHeldKeepsItsOwnerNotWaiting() throws SQLException {
    SemanticLock lock = acquire("saga-1").orThrow();
    try (Session curious = new Session(stocks)) {
      curious.run(tx -> stocks.locks.acquire(tx, "order/17", "saga-2", MINUTE));
      assertThat(
              stocks.is(
                  tx -> {
                    tx.update("set local lock_timeout = '1s'");
                    stocks.locks.renew(tx, lock, Duration.ofHours(1));
                    return stocks.locks.release(tx, lock);
                  }))
          .isTrue();
    }
  }

  @Test
  void theCommitThatTakesALockIsFlushedWhateverTheSessionSays() {
    String durability =
        stocks.tx(
            tx -> {
              tx.update("set local synchronous_commit = off");
              stocks.locks.acquire(tx, "order/17", "saga-1", MINUTE);
              try (var statement = tx.connection().createStatement();
                  var row = statement.executeQuery("show synchronous_commit")) {
                row.next();
                return row.getString(1);
              }
            });
    assertThat(durability).isEqualTo("on");
  }

  @Test
  void locksThatNobodyHasWantedForLongAreForgotten() throws SQLException {
    acquire("saga-1");
    clock.advance(Duration.ofDays(8));
    stocks.stepper.upkeep();
    assertThat(stocks.ask("select count(*) from ${schema}.semantic_lock")).isZero();
  }

  @Test
  @Attacks("isolation.reread")
  void whatWasReadIsReadAgainAndRefusedWhenItHasChanged() throws Exception {
    stocks.execute(
        "create table ${schema}.price (id text primary key, amount numeric, note text);"
            + " insert into ${schema}.price values ('a', 10, null), ('b', 20, '')");
    String query =
        stocks.in("select id, amount, note from ${schema}.price where amount < ? order by id");
    String seen = stocks.tx(tx -> Reread.digest(tx, query, 30));
    try (Session step = new Session(stocks);
        Session other = new Session(stocks)) {
      step.run(
          tx -> {
            Reread.verify(tx, seen, query, 30);
            return true;
          });
      CompletableFuture<Integer> change =
          other.begin(
              tx -> tx.update(stocks.in("update ${schema}.price set note = '' where id = 'a'")));
      assertThat(change.isDone()).as("the rows stay as they were until the commit").isFalse();
      step.commit();
      assertThat(Session.result(change)).isEqualTo(1);
      other.commit();
    }
    assertThatThrownBy(
            () ->
                stocks.tx(
                    tx -> {
                      Reread.verify(tx, seen, query, 30);
                      return true;
                    }))
        .isInstanceOf(StaleVersion.class)
        .hasMessageContaining("decide anew");
  }
}
