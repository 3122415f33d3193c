package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhaseSettings;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What others see of an operation, and what they have to wait for, from its work to its end. */
final class VisibilityTest {
  private TwoDatabases databases;

  @BeforeEach
  void open() throws SQLException {
    databases = new TwoDatabases();
    TwoDatabases.execute(databases.ledger, "insert into entry values ('account', 1)");
  }

  @AfterEach
  void close() {
    databases.close();
  }

  /** Decided is decided: nobody sees the old value and then changes it. */
  @Test
  @Attacks({"twophase.visibility", "twophase.locks"})
  void theOtherDatabaseShowsTheChangeWhenTheCallReturnsAndKeepsOthersFromItUntilThen()
      throws SQLException {
    List<String> seen = new ArrayList<>();
    Participant watched =
        Participant.of(
            "ledger",
            Meddled.around(
                Meddled.around(
                    databases.participant().branches(),
                    "commitPrepared",
                    gid -> look(seen),
                    Meddled.Action.NONE),
                "prepare",
                gid -> look(seen),
                gid -> look(seen)));
    try (Holdfast holdfast = databases.process(watched)) {
      operate(holdfast, watched);
    }

    assertThat(seen).containsExactly("1 0", "1 0", "1 1");
    assertThat(value()).isEqualTo("2");
  }

  /** The decision is seen in the one, and what was decided in the other comes later. */
  @Test
  @Attacks({"twophase.visibility", "twophase.locks"})
  void anAsynchronousSecondPhaseIsSeenLater() throws SQLException {
    CountDownLatch returned = new CountDownLatch(1);
    Participant held =
        Participant.of(
            "ledger",
            Meddled.before(
                databases.participant().branches(),
                "commitPrepared",
                gid -> assertThat(returned.await(60, TimeUnit.SECONDS)).isTrue()));
    TwoPhaseSettings settings = TwoDatabases.SETTINGS.withAsynchronousSecondPhase(true);
    try (Holdfast holdfast = databases.process(held, settings)) {
      try {
        operate(holdfast, held);
        List<String> seen = new ArrayList<>();
        look(seen);
        assertThat(seen).containsExactly("1 1");
      } finally {
        returned.countDown();
      }
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(() -> assertThat(value()).isEqualTo("2"));
    }
  }

  private static void operate(Holdfast holdfast, Participant ledger) {
    holdfast.atomically(
        holdfast.decider(),
        ledger,
        (o, l) -> {
          o.update("insert into entry (id) values ('order')");
          l.update("update entry set value = value + 1 where id = 'account'");
        });
  }

  /** The value in the ledger, and how many orders there are; nobody else can change the value. */
  private void look(List<String> seen) throws SQLException {
    try (Connection connection = databases.ledger.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("set local lock_timeout = '50ms'");
      assertThatThrownBy(() -> statement.execute("update entry set value = 0 where id = 'account'"))
          .isInstanceOf(SQLException.class)
          .extracting(e -> ((SQLException) e).getSQLState())
          .isEqualTo("55P03");
      connection.rollback();
      connection.setAutoCommit(true);
    }
    seen.add(value() + " " + databases.count(databases.orders, "entry"));
  }

  private String value() throws SQLException {
    return TwoDatabases.list(databases.ledger, "select value from entry where id = 'account'")
        .get(0);
  }
}
