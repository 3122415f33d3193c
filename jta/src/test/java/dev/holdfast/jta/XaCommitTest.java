package dev.holdfast.jta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.HoldfastException;
import dev.holdfast.Message;
import dev.holdfast.jms.Jms;
import jakarta.jms.Session;
import jakarta.transaction.RollbackException;
import java.io.IOException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.transaction.xa.XAException;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a transaction in several places comes to, as long as its process lives. */
final class XaCommitTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  /** What is in doubt there is asked for, so that no other test's is. */
  @AfterEach
  void leaveNothingInDoubt() {
    for (String url : List.of(TestServers.ORDERS, TestServers.LEDGER)) {
      for (String gid : TestServers.prepared(url)) {
        TestServers.execute(url, "rollback prepared '" + gid + "'");
      }
    }
  }

  private final XaParticipant<XaBranch> orders =
      XaParticipant.jdbc("orders", Drivers.xa(TestServers.ORDERS));
  private final XaParticipant<XaBranch> ledger =
      XaParticipant.jdbc("ledger", Drivers.xa(TestServers.LEDGER));
  private final XaParticipant<Session> broker =
      XaParticipant.jms("broker", Drivers.broker(TestServers.ARTEMIS.url()));
  private final String order = TestServers.table(TestServers.ORDERS, "orders");
  private final String entry = TestServers.table(TestServers.LEDGER, "entry");
  private final String queue = TestServers.unique("shipping");

  private XaCommit start(XaParticipant<?>... participants) {
    return XaCommit.as(TestServers.NODE)
        .logIn(TestServers.LOG)
        .allowTemporaryLog()
        .participants(participants)
        .start();
  }

  private void insert(XaBranch branch, String table, String id) throws SQLException {
    branch.update("insert into " + table + " (id) values (?)", id);
  }

  private void send(Session session, String text) throws Exception {
    session.createProducer(session.createQueue(queue)).send(session.createTextMessage(text));
  }

  @Test
  void commitsInADatabaseAndABroker() throws Exception {
    try (XaCommit xa = start(orders, broker)) {
      for (String id : List.of("a", "b")) {
        xa.atomically(
            orders,
            broker,
            (o, q) -> {
              insert(o, order, id);
              send(q, id);
            });
      }
    }
    assertThat(TestServers.ids(TestServers.ORDERS, order)).containsExactly("a", "b");
    assertThat(TestServers.bodies(queue)).containsExactly("a", "b");
    assertThat(TestServers.prepared(TestServers.ORDERS)).isEmpty();
  }

  @Test
  void messageIsTakenFromTheBrokerInTheTransactionOrStaysThere() throws Exception {
    try (XaCommit xa = start(orders, broker)) {
      xa.atomically(tx -> send(tx.in(broker), "a"));
      IOException failure = new IOException("no");
      assertThatThrownBy(
              () ->
                  xa.atomically(
                      orders,
                      broker,
                      (o, q) -> {
                        assertThat(q.createConsumer(q.createQueue(queue)).receive(5_000))
                            .isNotNull();
                        insert(o, order, "lost");
                        throw failure;
                      }))
          .isSameAs(failure);
      xa.atomically(
          orders,
          broker,
          (o, q) ->
              insert(
                  o,
                  order,
                  q.createConsumer(q.createQueue(queue)).receive(5_000).getBody(String.class)));
    }
    assertThat(TestServers.ids(TestServers.ORDERS, order)).containsExactly("a");
    assertThat(TestServers.bodies(queue)).isEmpty();
  }

  @Test
  void failureOfTheWorkRollsEverythingBackAndIsThrownAsItIs() {
    IOException failure = new IOException("no");
    try (XaCommit xa = start(orders, ledger, broker)) {
      assertThatThrownBy(
              () ->
                  xa.atomically(
                      tx -> {
                        insert(tx.in(orders), order, "a");
                        insert(tx.in(ledger), entry, "a");
                        send(tx.in(broker), "a");
                        throw failure;
                      }))
          .isSameAs(failure);
      assertNothing();
    }
  }

  private void assertNothing() {
    assertThat(TestServers.ids(TestServers.ORDERS, order)).isEmpty();
    assertThat(TestServers.ids(TestServers.LEDGER, entry)).isEmpty();
    assertThat(TestServers.bodies(queue)).isEmpty();
    assertThat(TestServers.prepared(TestServers.ORDERS)).isEmpty();
    assertThat(TestServers.prepared(TestServers.LEDGER)).isEmpty();
  }

  @Test
  void constraintThatFailsWhenItIsPreparedRollsEverythingBack() {
    TestServers.execute(
        TestServers.LEDGER,
        "alter table %s add constraint %s_unique unique (id) deferrable initially deferred"
            .formatted(entry, entry));
    try (XaCommit xa = start(orders, ledger, broker)) {
      XaRolledBack rolledBack =
          catchThrowableOfType(
              XaRolledBack.class,
              () ->
                  xa.atomically(
                      tx -> {
                        insert(tx.in(orders), order, "a");
                        send(tx.in(broker), "a");
                        insert(tx.in(ledger), entry, "a");
                        insert(tx.in(ledger), entry, "a");
                      }));
      assertThat(rolledBack.branches())
          .containsEntry("orders", BranchOutcome.ROLLED_BACK)
          .containsEntry("broker", BranchOutcome.ROLLED_BACK)
          .containsEntry("ledger", BranchOutcome.ROLLED_BACK);
      assertNothing();
    }
  }

  @Test
  void transactionThatTakesTooLongIsRolledBack() {
    try (XaCommit xa =
        XaCommit.as(TestServers.NODE)
            .logIn(TestServers.LOG)
            .allowTemporaryLog()
            .participants(orders, ledger)
            .timeout(Duration.ofSeconds(1))
            .start()) {
      assertThatThrownBy(
              () ->
                  xa.atomically(
                      orders,
                      ledger,
                      (o, l) -> {
                        insert(o, order, "a");
                        insert(l, entry, "a");
                        o.connection().createStatement().execute("select pg_sleep(3)");
                      }))
          .isInstanceOfAny(XaRolledBack.class, SQLException.class);
      await().atMost(LONG).untilAsserted(this::assertNothing);
    }
  }

  @Test
  void outboxPublishesInTheTransactionOfTheDatabase() throws Exception {
    String topic = TestServers.unique("orders.placed");
    try (HikariDataSource pool = TestServers.pool(TestServers.ORDERS);
        ActiveMQConnectionFactory factory =
            new ActiveMQConnectionFactory(TestServers.ARTEMIS.url());
        Holdfast holdfast =
            Holdfast.on(pool).channel("orders", Jms.to(factory), "orders.*").start();
        XaCommit xa = start(orders, ledger)) {
      assertThatThrownBy(
              () ->
                  xa.atomically(
                      orders,
                      ledger,
                      (o, l) -> {
                        holdfast.publish(o.connection(), Message.of(topic, "rolled-back", "{}"));
                        insert(l, "no_such_table", "x");
                      }))
          .isInstanceOf(SQLException.class);
      xa.atomically(
          orders,
          ledger,
          (o, l) -> {
            insert(l, entry, "a");
            holdfast.publish(o.connection(), Message.of(topic, "committed", "{}"));
          });
      await()
          .atMost(LONG)
          .untilAsserted(() -> assertThat(TestServers.bodies(topic)).containsExactly("committed"));
      assertThat(TestServers.ids(TestServers.LEDGER, entry)).containsExactly("a");
    }
  }

  @Test
  void whatWouldEndTheTransactionInOnePlaceIsRefused() throws Exception {
    try (XaCommit xa = start(orders, broker)) {
      xa.atomically(
          orders,
          broker,
          (o, q) -> {
            insert(o, order, "a");
            assertThatThrownBy(() -> o.connection().commit()).hasMessageContaining("refused");
            assertThatThrownBy(() -> o.connection().rollback()).hasMessageContaining("refused");
            assertThatThrownBy(() -> o.connection().close()).hasMessageContaining("refused");
            assertThatThrownBy(() -> o.connection().setAutoCommit(true))
                .hasMessageContaining("refused");
            assertThatThrownBy(() -> o.connection().setReadOnly(true))
                .hasMessageContaining("refused");
            send(q, "a");
            assertThatThrownBy(q::commit).hasMessageContaining("refused");
            assertThatThrownBy(q::rollback).hasMessageContaining("refused");
            assertThatThrownBy(q::close).hasMessageContaining("refused");
            assertThatThrownBy(() -> xa.atomically(tx -> {}))
                .isInstanceOf(HoldfastException.class)
                .hasMessageContaining("already is in a transaction");
          });
    }
    assertThat(TestServers.ids(TestServers.ORDERS, order)).containsExactly("a");
    assertThat(TestServers.bodies(queue)).containsExactly("a");
  }

  @Test
  void branchIsOfNoUseAfterItsTransaction() throws Exception {
    try (XaCommit xa = start(orders, broker)) {
      XaBranch[] kept = new XaBranch[1];
      Session[] session = new Session[1];
      xa.atomically(
          orders,
          broker,
          (o, q) -> {
            kept[0] = o;
            session[0] = q;
          });
      assertThatThrownBy(() -> insert(kept[0], order, "late")).hasMessageContaining("has ended");
      assertThatThrownBy(() -> session[0].createTextMessage("late"))
          .hasMessageContaining("has ended");
      assertThatThrownBy(() -> xa.join(orders)).hasMessageContaining("in no transaction");
    }
  }

  @Test
  void oneParticipantCommitsWithoutBeingPrepared() throws Exception {
    AtomicBoolean prepared = new AtomicBoolean();
    XaParticipant<XaBranch> alone =
        XaParticipant.jdbc(
            "alone",
            Intercepted.dataSource(
                Drivers.xa(TestServers.ORDERS),
                (method, args, call) -> {
                  if (method.equals("prepare")) {
                    prepared.set(true);
                  }
                  return call.proceed();
                }));
    try (XaCommit xa = start(alone, ledger)) {
      xa.atomically(tx -> insert(tx.in(alone), order, "a"));
    }
    assertThat(TestServers.ids(TestServers.ORDERS, order)).containsExactly("a");
    assertThat(prepared).isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {XAException.XAER_RMFAIL, XAException.XAER_RMERR})
  void lostAnswerToTheOnlyCommitIsNotCalledARollback(int code) {
    XaParticipant<XaBranch> alone =
        XaParticipant.jdbc(
            "alone",
            Intercepted.dataSource(
                Drivers.xa(TestServers.ORDERS),
                (method, args, call) -> {
                  Object result = call.proceed();
                  if (method.equals("commit")) {
                    throw new XAException(code);
                  }
                  return result;
                }));
    try (XaCommit xa = start(alone)) {
      XaOutcomeUnknown unknown =
          catchThrowableOfType(
              XaOutcomeUnknown.class, () -> xa.atomically(tx -> insert(tx.in(alone), order, "a")));
      assertThat(unknown.branches()).containsEntry("alone", BranchOutcome.UNKNOWN);
      assertThat(unknown).hasMessageContaining("Do not repeat");
      if (code == XAException.XAER_RMERR) {
        assertThat(unknown).hasCauseInstanceOf(RollbackException.class);
      }
    }
    assertThat(TestServers.ids(TestServers.ORDERS, order)).containsExactly("a");
  }

  @Test
  void onlyParticipantThatRefusesToCommitIsRolledBack() {
    TestServers.execute(
        TestServers.ORDERS,
        "alter table %s add constraint %s_unique unique (id) deferrable initially deferred"
            .formatted(order, order));
    try (XaCommit xa = start(orders)) {
      XaRolledBack rolledBack =
          catchThrowableOfType(
              XaRolledBack.class,
              () ->
                  xa.atomically(
                      tx -> {
                        insert(tx.in(orders), order, "a");
                        insert(tx.in(orders), order, "a");
                      }));
      assertThat(rolledBack.branches()).containsEntry("orders", BranchOutcome.ROLLED_BACK);
    }
    assertThat(TestServers.ids(TestServers.ORDERS, order)).isEmpty();
  }

  /** Does something before the first commit of a prepared branch of the ledger. */
  private static XaParticipant<XaBranch> ledgerThat(Intercepted.Around beforeCommit) {
    AtomicBoolean done = new AtomicBoolean();
    return XaParticipant.jdbc(
        "ledger",
        Intercepted.dataSource(
            Drivers.xa(TestServers.LEDGER),
            (method, args, call) ->
                method.equals("commit") && done.compareAndSet(false, true)
                    ? beforeCommit.call(method, args, call)
                    : call.proceed()));
  }

  @Test
  void participantThatDoesNotAnswerToTheDecisionIsCommittedByRecovery() throws Exception {
    XaParticipant<XaBranch> silent =
        ledgerThat(
            (method, args, call) -> {
              throw new XAException(XAException.XAER_RMFAIL);
            });
    assertCommittedByRecovery(silent);
  }

  @Test
  void connectionThatEndsBetweenTheTwoPhasesIsNotTakenForARollback() throws Exception {
    XaParticipant<XaBranch> cut =
        ledgerThat(
            (method, args, call) -> {
              TestServers.execute(
                  TestServers.ORDERS,
                  "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = 'ledger'");
              return call.proceed();
            });
    assertCommittedByRecovery(cut);
  }

  private void assertCommittedByRecovery(XaParticipant<XaBranch> failing) throws Exception {
    try (XaCommit xa =
        XaCommit.as(TestServers.NODE)
            .logIn(TestServers.LOG)
            .allowTemporaryLog()
            .participants(orders, failing)
            .recoverEvery(Duration.ofHours(1))
            .start()) {
      xa.atomically(
          orders,
          failing,
          (o, l) -> {
            insert(o, order, "a");
            insert(l, entry, "a");
          });
      assertThat(TestServers.ids(TestServers.ORDERS, order)).containsExactly("a");
      assertThat(TestServers.prepared(TestServers.LEDGER)).hasSize(1);

      xa.recover();

      assertThat(TestServers.prepared(TestServers.LEDGER)).isEmpty();
      assertThat(TestServers.ids(TestServers.LEDGER, entry)).containsExactly("a");
    }
  }

  @Test
  void branchThatSomebodyElseRolledBackIsReportedWithWhatIsKnown() {
    XaParticipant<XaBranch> tampered =
        ledgerThat(
            (method, args, call) -> {
              TestServers.execute(
                  TestServers.LEDGER,
                  "rollback prepared '%s'"
                      .formatted(TestServers.prepared(TestServers.LEDGER).get(0)));
              return call.proceed();
            });
    try (XaCommit xa = start(orders, tampered)) {
      XaOutcomeUnknown unknown =
          catchThrowableOfType(
              XaOutcomeUnknown.class,
              () ->
                  xa.atomically(
                      orders,
                      tampered,
                      (o, l) -> {
                        insert(o, order, "a");
                        insert(l, entry, "a");
                      }));
      assertThat(unknown.branches())
          .containsEntry("orders", BranchOutcome.COMMITTED)
          .containsEntry("ledger", BranchOutcome.UNKNOWN);
    }
    assertThat(TestServers.ids(TestServers.ORDERS, order)).containsExactly("a");
    assertThat(TestServers.ids(TestServers.LEDGER, entry)).isEmpty();
  }

  @Test
  void lostAnswerToPreparingRollsBackAndRecoveryEndsWhatWasPrepared() {
    AtomicBoolean answers = new AtomicBoolean();
    XaParticipant<XaBranch> lossy =
        XaParticipant.jdbc(
            "ledger",
            Intercepted.dataSource(
                Drivers.xa(TestServers.LEDGER),
                (method, args, call) -> {
                  if (method.equals("rollback") && !answers.get()) {
                    throw new XAException(XAException.XAER_RMFAIL);
                  }
                  Object result = call.proceed();
                  if (method.equals("prepare")) {
                    throw new XAException(XAException.XAER_RMFAIL);
                  }
                  return result;
                }));
    try (XaCommit xa = start(orders, lossy)) {
      XaRolledBack rolledBack =
          catchThrowableOfType(
              XaRolledBack.class,
              () ->
                  xa.atomically(
                      orders,
                      lossy,
                      (o, l) -> {
                        insert(o, order, "a");
                        insert(l, entry, "a");
                      }));
      assertThat(rolledBack.branches()).containsEntry("ledger", BranchOutcome.IN_DOUBT);
      assertThat(TestServers.prepared(TestServers.LEDGER)).hasSize(1);

      answers.set(true);
      xa.recover();

      await().atMost(LONG).untilAsserted(this::assertNothing);
    }
  }

  @Test
  void connectionsAreUsedAgain() throws Exception {
    Set<Integer> seen = new HashSet<>();
    try (XaCommit xa = start(orders, ledger)) {
      for (int i = 0; i < 20; i++) {
        xa.atomically(
            orders,
            ledger,
            (o, l) -> {
              try (ResultSet row =
                  o.connection().createStatement().executeQuery("select pg_backend_pid()")) {
                row.next();
                seen.add(row.getInt(1));
              }
              l.update("insert into " + entry + " (id) values ('x')");
            });
      }
    }
    assertThat(seen).hasSize(1);
  }
}
