package dev.holdfast.mariadb;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhaseSettings;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

/**
 * A PostgreSQL database that decides, orders, and a MariaDB database that takes part, ledger; with
 * a table {@code entry} of ids in each.
 */
final class OrdersAndLedger implements AutoCloseable {
  /** Nothing happens by itself within a test, and nothing is too young to be recovered. */
  static final TwoPhaseSettings SETTINGS =
      TwoPhaseSettings.DEFAULT
          .withLockTimeout(Duration.ofSeconds(1))
          .withRecoverAfter(Duration.ZERO)
          .withRecoveryInterval(Duration.ofMinutes(10))
          .withKeepDecisions(Duration.ZERO);

  final HikariDataSource orders = TestServers.postgres();
  final HikariDataSource ledger = TestServers.mariaDb();
  final Participant participant = Participant.of("ledger", ledger);

  OrdersAndLedger() throws SQLException {
    TestServers.execute(orders, "create table entry (id varchar(50) primary key)");
    TestServers.execute(ledger, "create table entry (id varchar(50) primary key)");
  }

  /** A process that has both; of which nothing runs by itself. */
  Holdfast process() {
    return process(orders, participant);
  }

  static Holdfast process(HikariDataSource orders, Participant ledger) {
    return Holdfast.on(orders).participant(ledger).twoPhase(SETTINGS).manual().holdfast();
  }

  List<String> inOrders() throws SQLException {
    return TestServers.list(orders, "select id from entry order by id");
  }

  List<String> inLedger() throws SQLException {
    return TestServers.list(ledger, "select id from entry order by id");
  }

  /** Of this ledger's, for all databases of a server are listed. */
  int prepared(Holdfast holdfast) {
    return holdfast.twoPhase().inDoubt().size();
  }

  @Override
  public void close() {
    orders.close();
    ledger.close();
  }
}
