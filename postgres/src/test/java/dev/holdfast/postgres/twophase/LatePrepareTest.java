package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Holdfast;
import dev.holdfast.Isolation;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.postgres.PostgresStore;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhase.Recovered;
import dev.holdfast.twophase.TwoPhaseSettings;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.DecisionStore.Registration;
import dev.holdfast.twophase.store.Gid;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * An owner stands still between its decision and its prepare until its deciding session is ended
 * and later decisions are forgotten, and goes on then.
 */
final class LatePrepareTest {
  private static final String SESSION =
      "from pg_stat_activity where datname = current_database() and state = 'idle in transaction'";

  /** After which the deciding database ends the session by itself. */
  private static final TwoPhaseSettings HASTY =
      TwoPhaseSettings.DEFAULT.withDecideWithin(Duration.ofSeconds(2));

  private final List<Recovered> found = new ArrayList<>();
  private TwoDatabases databases;
  private Participant ledger;
  private boolean stoodStill;
  private boolean lookedAt;

  @BeforeEach
  void open() throws SQLException {
    databases = new TwoDatabases();
    ledger = databases.participant();
  }

  @AfterEach
  void close() {
    databases.close();
  }

  @Test
  @Attacks({"twophase.recovery.bounded", "twophase.answer"})
  void itPreparesNothingAndIsRunAgain() throws SQLException {
    try (Holdfast bystander = databases.process(ledger)) {
      enter(Isolation.READ_COMMITTED, bystander);

      // Once: of the attempt that was run behind it, whose owner is alive.
      assertThat(found).containsExactly(new Recovered(0, 0, 1, 0));
      assertThat(bystander.twoPhase().heuristics(10)).isEmpty();
    }
    assertThere("a", "b");
  }

  /** Negative control: nobody has told the participant. */
  @Test
  void elseItsBranchIsPreparedAndReportedWithoutNeed() throws SQLException {
    Participant unaware = Participant.of("ledger", withoutRefusing(ledger.branches()));
    try (Holdfast bystander = databases.process(unaware)) {
      assertThatThrownBy(() -> enter(Isolation.READ_COMMITTED, bystander))
          .isInstanceOf(StoreUnavailable.class);

      assertThat(found).containsExactly(new Recovered(0, 0, 0, 1));
      assertThat(bystander.twoPhase().heuristics(10)).hasSize(1);
    }
    assertThere("b");
  }

  /** It reads the claim as it was when it began; its owner undoes that before it is reported. */
  @Test
  @Attacks({"twophase.recovery.bounded", "twophase.answer"})
  void ofARepeatableReadItsOwnerUndoesTheBranch() throws SQLException {
    try (Holdfast bystander = databases.process(ledger)) {
      assertThatThrownBy(() -> enter(Isolation.REPEATABLE_READ, bystander))
          .isInstanceOf(StoreUnavailable.class)
          .hasMessageContaining("committed nowhere");

      assertThat(lookedAt).isTrue();
      assertThat(bystander.twoPhase().heuristics(10)).isEmpty();
    }
    assertThere("b");
  }

  private void enter(Isolation isolation, Holdfast bystander) throws SQLException {
    Participant slow =
        Participant.of(
            "ledger",
            Meddled.around(
                ledger.branches(),
                "prepare",
                gid -> standStill(gid, bystander),
                gid -> {
                  if (isolation == Isolation.READ_COMMITTED) {
                    found.add(bystander.twoPhase().recover());
                  } else {
                    recoverInTheBackground();
                  }
                }));
    try (Holdfast owner = databases.process(slow, HASTY)) {
      owner
          .atomic()
          .with(slow)
          .isolation(isolation)
          .run(
              tx -> {
                tx.update("insert into entry (id) values ('a')");
                tx.on(slow).update("insert into entry (id) values ('a')");
              });
    }
  }

  private void standStill(@Nullable Gid gid, Holdfast bystander) throws SQLException {
    if (stoodStill || gid == null) {
      return;
    }
    stoodStill = true;
    Awaitility.await()
        .until(() -> TwoDatabases.list(databases.orders, "select pid " + SESSION).isEmpty());
    DeadOwner later = new DeadOwner(databases, ledger, "b").afterCommitting();
    assertThat(later.gid().serial()).isGreaterThan(gid.serial());
    bystander.twoPhase().recover();
    bystander.twoPhase().clean();
    Registration registration =
        PostgresStore.open(databases.orders, "holdfast")
            .decisions()
            .participant("ledger")
            .orElseThrow();
    // That is what the test is about.
    assertThat(registration.cleaned()).isGreaterThanOrEqualTo(gid.serial());
  }

  /** Until it has looked twice, so that what it found the first time is reported if at all. */
  private void recoverInTheBackground() throws SQLException {
    try (Holdfast watching =
        Holdfast.on(databases.orders)
            .participant(ledger)
            .twoPhase(TwoDatabases.SETTINGS.withRecoveryInterval(Duration.ofMillis(10)))
            .start()) {
      for (int i = 0; i < 2; i++) {
        DeadOwner undecided = new DeadOwner(databases, ledger, "undecided-" + i).beforeCommitting();
        Awaitility.await().until(() -> !databases.prepared().contains(undecided.gid().text()));
      }
      assertThat(watching.twoPhase().heuristics(10)).isEmpty();
      lookedAt = true;
    }
  }

  private void assertThere(String... ids) throws SQLException {
    assertThat(databases.prepared()).isEmpty();
    assertThat(TwoDatabases.entries(databases.orders)).containsExactly(ids);
    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly(ids);
  }

  private static BranchStore withoutRefusing(BranchStore real) {
    return (BranchStore)
        Proxy.newProxyInstance(
            LatePrepareTest.class.getClassLoader(),
            new Class<?>[] {BranchStore.class},
            (self, method, args) -> {
              if (method.getName().equals("refuse")) {
                return true;
              }
              try {
                return method.invoke(real, args);
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            });
  }
}
