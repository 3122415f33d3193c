package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Holdfast;
import dev.holdfast.HoldfastException;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhase.Recovered;
import dev.holdfast.twophase.TwoPhaseSettings;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Servers that die with branches prepared, and under the hands of an operation. */
@Tag("long")
final class OutageTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  /** Its claims settle after 300 ms. */
  private static final TwoPhaseSettings QUICK =
      TwoDatabases.SETTINGS.withDecideWithin(Duration.ofMillis(200));

  /** Where an operation is when a server ends one of its connections. */
  private enum Step {
    WORKING,
    DECIDING,
    PREPARED,
    DECIDED,
    COMMITTED
  }

  private enum Side {
    ORDERS,
    LEDGER
  }

  private static PostgresServer orders;
  private static PostgresServer ledger;
  private TwoDatabases databases;
  private final Map<Side, Integer> backends = new EnumMap<>(Side.class);

  @BeforeAll
  static void start() throws SQLException {
    orders = PostgresServer.start();
    ledger = PostgresServer.start();
    try (TwoDatabases first = TwoDatabases.at(orders, ledger)) {
      first.createTables();
    }
  }

  @AfterAll
  static void end() {
    orders.close();
    ledger.close();
  }

  @BeforeEach
  void open() throws SQLException {
    databases = TwoDatabases.at(orders, ledger);
    try (Holdfast holdfast = databases.process(databases.participant())) {
      awaitNothingPrepared(holdfast);
    }
    TwoDatabases.execute(databases.orders, "delete from entry");
    TwoDatabases.execute(databases.ledger, "delete from entry");
  }

  @AfterEach
  void close() {
    databases.close();
  }

  private void reopen() {
    databases.close();
    databases = TwoDatabases.at(orders, ledger);
  }

  @Test
  @Attacks({"twophase.durability", "twophase.recovery.anybody"})
  void whatIsPreparedSurvivesACrashOfItsServerAndIsEndedAsDecided() throws SQLException {
    new DeadOwner(databases, databases.participant(), "decided").afterCommitting();
    new DeadOwner(databases, databases.participant(), "undecided").beforeCommitting();
    ledger.killServer();
    ledger.restart();
    reopen();
    try (Holdfast holdfast = databases.process(databases.participant())) {
      assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(1, 1, 0, 0));
    }
    assertBoth("decided");
  }

  @Test
  @Attacks({"twophase.durability", "twophase.recovery.anybody"})
  void whatIsDecidedSurvivesACrashOfItsServer() throws SQLException {
    new DeadOwner(databases, databases.participant(), "decided").afterCommitting();
    // Its owner is alive, and about to commit.
    try (DeadOwner open = new DeadOwner(databases, databases.participant(), "undecided")) {
      orders.killServer();
      orders.restart();
      assertThat(open.decides()).isFalse();
    }
    reopen();
    try (Holdfast holdfast = databases.process(databases.participant(), QUICK)) {
      Recovered first = holdfast.twoPhase().recover();
      assertThat(first.committed()).isOne();
      awaitNothingPrepared(holdfast);
    }
    assertBoth("decided");
  }

  /**
   * A backend dies, and its server ends all of its connections and recovers. The caller is told
   * what is so.
   */
  @ParameterizedTest
  @CsvSource({
    "WORKING,   ORDERS, false",
    "WORKING,   LEDGER, false",
    "DECIDING,  ORDERS, false",
    "DECIDING,  LEDGER, false",
    "PREPARED,  ORDERS, false",
    "PREPARED,  LEDGER, true",
    "DECIDED,   ORDERS, true",
    "DECIDED,   LEDGER, true",
    "COMMITTED, ORDERS, true",
    "COMMITTED, LEDGER, true"
  })
  @Attacks({"twophase.atomicity", "twophase.answer"})
  void aBackendThatDiesUnderAnOperation(Step step, Side side, boolean isCommitted)
      throws SQLException {
    Participant participant = dying(step, side);
    Outcome told;
    try (Holdfast owner = databases.process(participant)) {
      told = tell(() -> operate(owner, participant, step, side));
    }
    reopen();
    try (Holdfast holdfast = whenItAnswers()) {
      awaitNothingPrepared(holdfast);
      holdfast.twoPhase().clean();
      assertThat(holdfast.twoPhase().heuristics(10)).isEmpty();
    }
    assertThat(told).isInstanceOf(isCommitted ? Outcome.Committed.class : Outcome.Rejected.class);
    if (isCommitted) {
      assertBoth("a");
    } else {
      assertBoth();
    }
  }

  /** The ledger; at a step of the operation one of its backends dies. */
  private Participant dying(Step step, Side side) {
    boolean isBefore = step == Step.DECIDING || step == Step.DECIDED;
    String call =
        step == Step.DECIDING || step == Step.PREPARED
            ? "prepare"
            : step == Step.WORKING ? "none" : "commitPrepared";
    Meddled.Action kill = gid -> kill(side);
    return Participant.of(
        "ledger",
        Meddled.around(
            databases.participant().branches(),
            call,
            isBefore ? kill : Meddled.Action.NONE,
            isBefore ? Meddled.Action.NONE : kill));
  }

  private void kill(Side side) {
    int backend = backends.get(side);
    switch (side) {
      case ORDERS -> orders.killBackend(backend);
      case LEDGER -> ledger.killBackend(backend);
    }
  }

  private void operate(Holdfast owner, Participant participant, Step step, Side side) {
    owner.atomically(
        owner.decider(),
        participant,
        (o, l) -> {
          o.update("insert into entry (id) values ('a')");
          l.update("insert into entry (id) values ('a')");
          backends.put(Side.ORDERS, backend(o.connection()));
          backends.put(Side.LEDGER, backend(l.connection()));
          if (step == Step.WORKING) {
            kill(side);
          }
        });
  }

  private static int backend(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select pg_backend_pid()")) {
      row.next();
      return row.getInt(1);
    }
  }

  private static Outcome tell(Runnable operation) {
    try {
      operation.run();
      return new Outcome.Committed();
    } catch (OutcomeUnknown e) {
      return Awaitility.await()
          .atMost(SOON)
          .ignoreExceptionsInstanceOf(HoldfastException.class)
          .until(e::resolve, answer -> !(answer instanceof Outcome.Unknown));
    } catch (HoldfastException e) {
      return new Outcome.Rejected(String.valueOf(e.getMessage()));
    }
  }

  private Holdfast whenItAnswers() {
    return Awaitility.await()
        .atMost(SOON)
        .ignoreExceptionsInstanceOf(HoldfastException.class)
        .until(() -> databases.process(databases.participant()), holdfast -> true);
  }

  /** Servers may be recovering still. */
  private void awaitNothingPrepared(Holdfast holdfast) {
    Awaitility.await()
        .atMost(SOON)
        .ignoreExceptionsInstanceOf(HoldfastException.class)
        .untilAsserted(
            () -> {
              holdfast.twoPhase().recover();
              assertThat(holdfast.twoPhase().inDoubt()).isEmpty();
            });
  }

  private void assertBoth(String... ids) throws SQLException {
    for (var each : List.of(databases.orders, databases.ledger)) {
      assertThat(TwoDatabases.entries(each)).containsExactly(ids);
    }
  }
}
