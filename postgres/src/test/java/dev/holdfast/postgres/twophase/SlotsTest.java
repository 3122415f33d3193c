package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Holdfast;
import dev.holdfast.devservices.PostgresServer;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

/** A participant whose places for prepared transactions are all taken. */
final class SlotsTest {
  @Test
  void whoFindsNoPlaceToPrepareUndoesBothAndSaysWhatIsTaken() throws SQLException {
    try (PostgresServer orders = PostgresServer.start();
        PostgresServer ledger =
            PostgresServer.builder().setting("max_prepared_transactions", "2").start();
        TwoDatabases databases = TwoDatabases.at(orders, ledger)) {
      databases.createTables();
      try (Holdfast holdfast = databases.process(databases.participant())) {
        take(databases, "one");
        take(databases, "two");
        assertThatThrownBy(() -> operate(holdfast, databases, "a"))
            .hasMessageContaining("participant ledger")
            .hasMessageContaining("max_prepared_transactions");
        assertThat(TwoDatabases.entries(databases.orders)).isEmpty();
        assertThat(TwoDatabases.list(databases.ledger, "select gid from pg_prepared_xacts"))
            .containsExactlyInAnyOrder("one", "two");

        TwoDatabases.execute(databases.ledger, "rollback prepared 'one'");
        operate(holdfast, databases, "b");
        assertThat(TwoDatabases.entries(databases.orders)).containsExactly("b");
        assertThat(TwoDatabases.entries(databases.ledger)).containsExactly("b");
      }
    }
  }

  /** As somebody else's transaction manager leaves one behind. */
  private static void take(TwoDatabases databases, String gid) throws SQLException {
    TwoDatabases.execute(
        databases.ledger,
        "begin; insert into entry (id) values ('" + gid + "'); prepare transaction '" + gid + "'");
  }

  private static void operate(Holdfast holdfast, TwoDatabases databases, String id) {
    holdfast.atomically(
        holdfast.decider(),
        databases.participant(),
        (o, l) -> {
          o.update("insert into entry (id) values (?)", id);
          l.update("insert into entry (id) values (?)", id);
        });
  }
}
