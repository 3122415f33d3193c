package dev.holdfast.postgres.reservation;

import static dev.holdfast.crashtest.Expect.effect;
import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.Scenario;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.reservation.Reservation;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A seller who reserves, and in a later transaction confirms and writes a ticket, and is crashed at
 * each of these commits, or is not heard, and does it all again.
 */
final class ReservationCrashTest {
  private static final int UNITS = 2;
  private static Stocks stocks;

  @BeforeAll
  static void begin() throws SQLException {
    stocks = new Stocks().with("seats", 1_000_000, 4);
    stocks.execute(
        """
        create table ${schema}.ticket (id text not null);
        create table ${schema}.seat (taken bigint not null);
        insert into ${schema}.seat values (0);
        create table ${schema}.taken (id text not null, units integer not null)
        """);
  }

  @AfterAll
  static void end() throws SQLException {
    stocks.assertBalanced();
    stocks.close();
  }

  /** A process that sells. */
  private record Seller(Holdfast holdfast) {
    static Seller start(Resources resources) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(resources.dataSource("database", Stocks.server().jdbcUrl()));
      config.setMaximumPoolSize(3);
      config.setMinimumIdle(0);
      HikariDataSource pool = new HikariDataSource(config);
      resources.onStop(pool);
      Holdfast holdfast =
          Holdfast.on(pool).schema(stocks.schema).schemaManagedElsewhere().manual().holdfast();
      resources.onStop(holdfast);
      return new Seller(holdfast);
    }

    void sell(String key) {
      Reservation wanted = Reservation.of(key, "seats", UNITS);
      // What it is when it was done before is told by the answers, so that no step is left out.
      holdfast.transact(tx -> holdfast.reservations().reserve(tx, wanted));
      holdfast.transact(
          tx -> {
            if (holdfast.reservations().confirm(tx, key).orThrow().first()) {
              tx.update(stocks.in("insert into ${schema}.ticket values (?)"), key);
            }
          });
    }

    /** As it is often done: the seats are counted down, and then the ticket is written. */
    void sellWithACounter(String key) {
      holdfast.transact(
          tx -> {
            tx.update(stocks.in("update ${schema}.seat set taken = taken + ?"), UNITS);
            tx.update(stocks.in("insert into ${schema}.taken values (?, ?)"), key, UNITS);
          });
      holdfast.transact(tx -> tx.update(stocks.in("insert into ${schema}.ticket values (?)"), key));
    }
  }

  private static int count(String sql, String key) {
    try {
      return (int) stocks.ask(sql.formatted(key));
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Scenario<Seller> scenario(
      CrashLab lab, Scenario.Work<Seller> work, String unitsSold) {
    return lab.application(Seller::start)
        .operation(work)
        .recoveredByRetry(2)
        .expect(
            row(stocks.schema + ".ticket").byKey("id").once(),
            effect("database", "seat sold", key -> count(unitsSold, key)).times(UNITS));
  }

  @CrashTest(
      carriers = {Carrier.FENCED, Carrier.LOST_ACK},
      crashesDuringRecovery = 1)
  @Attacks({"reservation.atomicity", "reservation.once", "reservation.answer"})
  void whatIsSoldIsSoldOnceAndHasItsTicket(CrashLab lab) {
    scenario(
        lab,
        Seller::sell,
        "select coalesce(sum(confirmed), 0) from ${schema}.reservation_item where id = '%s'");
  }

  @Test
  void aSellerWithACounterSellsSeatsTwice() {
    ExplorationReport report =
        CrashLab.explore(
            "counter",
            CrashLab.Options.defaults(),
            lab ->
                scenario(
                    lab,
                    Seller::sellWithACounter,
                    "select coalesce(sum(units), 0) from ${schema}.taken where id = '%s'"));
    assertThat(report.findings()).extracting(Finding::verdict).contains(Verdict.DUPLICATE);
  }
}
