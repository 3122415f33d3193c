package dev.holdfast.cli.recover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Holdfast;
import dev.holdfast.Isolation;
import dev.holdfast.cli.Run;
import dev.holdfast.cli.TestDatabases;
import dev.holdfast.cli.recover.Interrupted.Databases;
import dev.holdfast.devservices.MariaDbServer;
import dev.holdfast.postgres.PostgresStore;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.twophase.store.DecisionStore.Decision;
import dev.holdfast.twophase.store.Gid;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.mariadb.jdbc.MariaDbDataSource;

/** What an operation has left prepared in another product. */
class RecoverMariaDbTest {
  @Test
  void aBranchInMariaDbIsEndedAsWasDecided() throws Exception {
    String orders = TestDatabases.create();
    Run.line("schema migrate --database", orders).result();
    try (MariaDbServer server = MariaDbServer.start()) {
      Participant ledger = Participant.of("ledger", new MariaDbDataSource(server.jdbcUrl()));
      Gid gid = decidedAndPrepared(Databases.source(orders), ledger);

      Run list = Run.of(recover(orders, server.jdbcUrl(), "--list"));
      Run round = Run.of(recover(orders, server.jdbcUrl()));

      assertThat(list.status()).isEqualTo(1);
      assertThat(list.out()).contains(gid.text()).contains("xa commit ");
      assertThat(round.result()).containsPattern("ledger +1 +0 +0 +0");
      assertThat(ledger.branches().witnessed(List.of(gid))).containsExactly(gid);
    }
  }

  private static String[] recover(String orders, String ledger, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of("recover", "--database", orders, "--participant", "ledger=" + ledger));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private static Gid decidedAndPrepared(DataSource orders, Participant ledger) throws Exception {
    try (Holdfast holdfast = Holdfast.on(orders).participant(ledger).manual().holdfast()) {
      holdfast.twoPhase().recover();
    }
    DecisionStore decisions = PostgresStore.open(orders, "holdfast").decisions();
    BranchStore there = ledger.branches();
    try (Connection deciding = orders.getConnection();
        Connection other = there.connect()) {
      decisions.begin(deciding, Isolation.READ_COMMITTED, Duration.ofSeconds(5));
      Decision decision =
          new Decision(7, List.of("ledger"), "order/4711", Duration.ofMinutes(5), false);
      long serial = decisions.decide(deciding, decision, List.of());
      Gid gid = new Gid(decisions.identity().storeId(), serial, 7, "ledger");
      there.begin(other, gid, Isolation.READ_COMMITTED, Duration.ofSeconds(5));
      there.prepare(
          other, gid, "order/4711", decisions.participant("ledger").orElseThrow().claim());
      deciding.commit();
      return gid;
    }
  }
}
