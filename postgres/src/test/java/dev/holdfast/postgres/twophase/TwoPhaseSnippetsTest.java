package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Holdfast;
import dev.holdfast.Isolation;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.twophase.Joined;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhaseSettings;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The code of {@code docs/two-phase-commit.md}. */
final class TwoPhaseSnippetsTest {
  private TwoDatabases databases;

  @BeforeEach
  void open() throws SQLException {
    databases = new TwoDatabases();
    TwoDatabases.execute(databases.orders, "create table shop_order (id text primary key)");
    TwoDatabases.execute(
        databases.ledger, "create table booking (order_id text primary key, amount int)");
  }

  @AfterEach
  void close() {
    databases.close();
  }

  @Test
  void bothOrNeither() throws SQLException {
    book(databases.orders, databases.ledger, "order-1");

    assertBooked("order-1");
  }

  private static void book(DataSource ordersDatabase, DataSource ledgerDatabase, String id) {
    // snippet:two-phase
    Participant ledger = Participant.of("ledger", ledgerDatabase);
    try (Holdfast holdfast = Holdfast.on(ordersDatabase).participant(ledger).start()) {
      Participant orders = holdfast.decider();

      holdfast.atomically(
          orders,
          ledger,
          (o, l) -> {
            o.update("insert into shop_order (id) values (?)", id);
            l.update("insert into booking (order_id, amount) values (?, ?)", id, 1990);
          });
    }
    // end
  }

  @Test
  void severalOrWithOptions() throws SQLException {
    Participant ledger = databases.participant();
    try (Holdfast holdfast = databases.process(ledger)) {
      several(holdfast, ledger, "order-2");
    }

    assertBooked("order-2");
  }

  private static void several(Holdfast holdfast, Participant ledger, String id) {
    // snippet:two-phase-several
    holdfast
        .atomic()
        .with(ledger) // and more of them
        .isolation(Isolation.REPEATABLE_READ)
        .operationId("order/" + id)
        .run(
            tx -> {
              tx.update("insert into shop_order (id) values (?)", id);
              tx.on(ledger).update("insert into booking values (?, ?)", id, 1990);
            });
    // end
  }

  @Test
  void inTheCallersTransaction() throws SQLException {
    Participant ledger = databases.participant();
    try (Holdfast holdfast = databases.process(ledger);
        Connection connection = databases.orders.getConnection()) {
      connection.setAutoCommit(false);
      TwoDatabases.insertOrder(connection, "order-3");
      join(holdfast, ledger, connection, "order-3");
    }

    assertBooked("order-3");
  }

  private static void join(Holdfast holdfast, Participant ledger, Connection connection, String id)
      throws SQLException {
    // snippet:two-phase-join
    try (Joined<Integer> joined =
        holdfast
            .atomic()
            .with(ledger)
            .join(
                connection,
                tx -> tx.on(ledger).update("insert into booking values (?, ?)", id, 1990))) {
      // The ledger has prepared. Whatever else belongs into this transaction, and then:
      connection.commit();
      joined.committed();
    }
    // end
  }

  @Test
  void aLostReply() {
    OutcomeUnknown lost =
        new OutcomeUnknown("lost", "order-4", new SQLException(), Outcome.Committed::new);
    assertThat(wasCommitted(lost)).isTrue();
  }

  private static boolean wasCommitted(OutcomeUnknown lost) {
    // snippet:two-phase-unknown
    Outcome outcome = lost.resolve(); // asks the deciding database; may be called again
    // end
    return outcome instanceof Outcome.Committed;
  }

  @Test
  void theSettings() {
    assertThat(settings().asynchronousSecondPhase()).isTrue();
  }

  private static TwoPhaseSettings settings() {
    // snippet:two-phase-settings
    TwoPhaseSettings settings =
        TwoPhaseSettings.DEFAULT
            .withAsynchronousSecondPhase(true)
            .withDecideWithin(Duration.ofSeconds(10));
    // Holdfast.on(ordersDatabase).participant(ledger).twoPhase(settings).start()
    // end
    return settings;
  }

  private void assertBooked(String id) throws SQLException {
    assertThat(TwoDatabases.list(databases.orders, "select id from shop_order"))
        .containsExactly(id);
    assertThat(TwoDatabases.list(databases.ledger, "select order_id from booking"))
        .containsExactly(id);
  }
}
