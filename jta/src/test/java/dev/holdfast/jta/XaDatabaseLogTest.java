package dev.holdfast.jta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.transaction.xa.XAException;
import org.junit.jupiter.api.Test;

/** A coordinator whose decisions are in a database. */
final class XaDatabaseLogTest {
  @Test
  void decisionInADatabaseIsCarriedOutAfterARestartAndForgotten() throws Exception {
    String order = TestServers.table(TestServers.ORDERS, "orders");
    String entry = TestServers.table(TestServers.LEDGER, "entry");
    XaParticipant<XaBranch> orders = XaParticipant.jdbc("orders", Drivers.xa(TestServers.ORDERS));
    AtomicBoolean answers = new AtomicBoolean();
    XaParticipant<XaBranch> ledger =
        XaParticipant.jdbc(
            "ledger",
            Intercepted.dataSource(
                Drivers.xa(TestServers.LEDGER),
                (method, args, call) -> {
                  if (method.equals("commit") && !answers.get()) {
                    throw new XAException(XAException.XAER_RMFAIL);
                  }
                  return call.proceed();
                }));
    try (HikariDataSource pool = TestServers.pool(TestServers.LEDGER)) {
      XaCommitBuilder builder =
          XaCommit.as(TestServers.NODE).logIn(pool).participants(orders, ledger);
      try (XaCommit xa = builder.start()) {
        xa.atomically(
            orders,
            ledger,
            (o, l) -> {
              o.update("insert into " + order + " (id) values ('a')");
              l.update("insert into " + entry + " (id) values ('a')");
            });
      }
      assertThat(TestServers.prepared(TestServers.LEDGER)).hasSize(1);
      assertThat(log()).isEqualTo(1);

      answers.set(true);
      try (XaCommit xa = builder.start()) {
        xa.recover();
        assertThat(TestServers.prepared(TestServers.LEDGER)).isEmpty();
        assertThat(TestServers.ids(TestServers.ORDERS, order)).containsExactly("a");
        assertThat(TestServers.ids(TestServers.LEDGER, entry)).containsExactly("a");
        assertThat(log()).isZero();

        TestServers.execute(
            TestServers.LEDGER,
            "select pg_terminate_backend(pid, 5000) from pg_locks"
                + " where locktype = 'advisory' and pid <> pg_backend_pid()");
        assertThatThrownBy(() -> xa.atomically(tx -> {}))
            .hasMessageContaining("not held by this process any more");
      }
    }
  }

  private static int log() {
    return Integer.parseInt(
        TestServers.strings(
                TestServers.LEDGER,
                "select count(*) from holdfast_jta_%s_JBossTSTxTable".formatted(TestServers.NODE))
            .get(0));
  }
}
