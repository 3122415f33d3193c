package dev.holdfast.mariadb;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Holdfast;
import dev.holdfast.Isolation;
import dev.holdfast.postgres.PostgresStore;
import dev.holdfast.twophase.TwoPhase.Recovered;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.twophase.store.DecisionStore.Decision;
import dev.holdfast.twophase.store.Gid;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Recovery after a crash of everybody at once. */
@Tag("long")
final class ManyInDoubtTest {
  private static final Logger log = LoggerFactory.getLogger(ManyInDoubtTest.class);
  private static final int THREADS = 4;
  private static final int EACH = 250;

  @Test
  void aThousandBranchesAreRecoveredWhileNewWorkGoesOn() throws Exception {
    try (OrdersAndLedger databases = new OrdersAndLedger();
        Holdfast holdfast = databases.process()) {
      holdfast.twoPhase().recover();
      ExecutorService threads = Executors.newFixedThreadPool(THREADS);
      AtomicBoolean recovering = new AtomicBoolean(true);
      try {
        List<Future<?>> owners = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++) {
          String name = "dead" + thread;
          owners.add(threads.submit(() -> prepareAndDie(databases, name)));
        }
        for (Future<?> owner : owners) {
          owner.get();
        }
        // The server has noticed that they are gone when the last can be asked for.
        Awaitility.await()
            .atMost(Duration.ofSeconds(60))
            .untilAsserted(() -> assertThat(connections(databases)).isLessThan(THREADS * 5));
        Future<Integer> newWork = threads.submit(() -> work(holdfast, databases, recovering));

        long start = System.nanoTime();
        Recovered found = holdfast.twoPhase().recover();
        while (found.committed() < THREADS * EACH) {
          found = found.plus(holdfast.twoPhase().recover());
        }
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        recovering.set(false);
        int done = newWork.get();

        log.info(
            "{} branches recovered in {}, {} operations meanwhile", EACH * THREADS, took, done);
        assertThat(took).isLessThan(Duration.ofSeconds(10));
        assertThat(done).isPositive();
        assertThat(databases.prepared(holdfast)).isZero();
        assertThat(databases.inLedger()).isEqualTo(databases.inOrders());
        assertThat(databases.inLedger()).hasSize(EACH * THREADS + done);
        holdfast.twoPhase().clean();
        assertThat(holdfast.twoPhase().heuristics(10)).isEmpty();
      } finally {
        recovering.set(false);
        threads.shutdownNow();
      }
    }
  }

  private static int connections(OrdersAndLedger databases) throws SQLException {
    return TestServers.list(
            databases.ledger, "select id from information_schema.processlist where db = database()")
        .size();
  }

  private static int work(Holdfast holdfast, OrdersAndLedger databases, AtomicBoolean goesOn) {
    int done = 0;
    while (goesOn.get()) {
      String id = "new" + done;
      holdfast.atomically(
          holdfast.decider(),
          databases.participant,
          (o, l) -> {
            o.update("insert into entry (id) values (?)", id);
            l.update("insert into entry (id) values (?)", id);
          });
      done++;
    }
    return done;
  }

  private static boolean prepareAndDie(OrdersAndLedger databases, String name) throws SQLException {
    DecisionStore decisions = PostgresStore.open(databases.orders, "holdfast").decisions();
    BranchStore there = databases.participant.branches();
    UUID claim = decisions.participant("ledger").orElseThrow().claim();
    UUID storeId = decisions.identity().storeId();
    for (int i = 0; i < EACH; i++) {
      String insert = "insert into entry values ('" + name + i + "')";
      try (Connection deciding = databases.orders.getConnection()) {
        decisions.begin(deciding, Isolation.READ_COMMITTED, Duration.ofSeconds(5));
        TestServers.execute(deciding, insert);
        Decision decision =
            new Decision(i, List.of("ledger"), "of " + name, Duration.ofMinutes(5), false);
        long serial = decisions.decide(deciding, decision, List.of());
        Gid gid = new Gid(storeId, serial, i, "ledger");
        Connection connection = there.connect();
        there.begin(connection, gid, Isolation.READ_COMMITTED, Duration.ofSeconds(5));
        TestServers.execute(connection, insert);
        there.prepare(connection, gid, "of " + name, claim);
        TestServers.abandon(connection);
        deciding.commit();
        deciding.setAutoCommit(true);
      }
    }
    return true;
  }
}
