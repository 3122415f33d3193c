package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.twophase.TwoPhase.Recovered;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Recovery after a crash of everybody at once, beside those who work on. */
@Tag("long")
final class ManyInDoubtTest {
  private static final Logger log = LoggerFactory.getLogger(ManyInDoubtTest.class);
  private static final int OWNERS = 4;
  private static final int EACH = 250;

  /** Every other one is decided. */
  private static final int DECIDED = OWNERS * EACH / 2;

  @Test
  @Attacks({"twophase.recovery.anybody", "twophase.recovery.live-owner", "twophase.atomicity"})
  void aThousandAreEndedAsDecidedWhileNewOperationsGoOn() throws Exception {
    try (TwoDatabases databases = new TwoDatabases();
        Holdfast recovering = databases.process(databases.participant());
        Holdfast other = databases.process(databases.participant())) {
      recovering.twoPhase().recover();
      ExecutorService threads = Executors.newFixedThreadPool(OWNERS);
      AtomicBoolean goesOn = new AtomicBoolean(true);
      try {
        List<String> committed = new ArrayList<>();
        for (Future<List<String>> each :
            Stream.iterate(0, i -> i + 1)
                .limit(OWNERS)
                .map(i -> threads.submit(() -> die(databases, "dead-" + i)))
                .toList()) {
          committed.addAll(each.get(300, TimeUnit.SECONDS));
        }
        assertThat(committed).hasSize(DECIDED);
        assertThat(databases.prepared()).hasSize(OWNERS * EACH);
        // One in the process that recovers, and one in another, whose branches it comes across.
        List<Future<List<String>>> workers =
            List.of(
                threads.submit(() -> work(recovering, databases, "here", goesOn)),
                threads.submit(() -> work(other, databases, "elsewhere", goesOn)));

        long start = System.nanoTime();
        Recovered found = new Recovered(0, 0, 0, 0);
        while (found.committed() + found.rolledBack() < OWNERS * EACH) {
          found = found.plus(recovering.twoPhase().recover());
        }
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        goesOn.set(false);
        int before = committed.size();
        for (Future<List<String>> worker : workers) {
          List<String> done = worker.get(60, TimeUnit.SECONDS);
          assertThat(done).isNotEmpty();
          committed.addAll(done);
        }
        log.info(
            "{} branches in doubt ended in {}, with {} operations meanwhile",
            OWNERS * EACH,
            took,
            committed.size() - before);

        assertThat(found.reported()).isZero();
        recovering.twoPhase().recover();
        assertThat(databases.prepared()).isEmpty();
        assertThat(TwoDatabases.entries(databases.orders))
            .containsExactlyInAnyOrderElementsOf(committed);
        assertThat(TwoDatabases.entries(databases.ledger))
            .containsExactlyInAnyOrderElementsOf(committed);
        recovering.twoPhase().clean();
        assertThat(recovering.twoPhase().heuristics(10)).isEmpty();
        assertThat(databases.count(databases.orders, "holdfast.decision")).isZero();
        assertThat(databases.count(databases.ledger, "holdfast.witness")).isZero();
      } finally {
        goesOn.set(false);
        threads.shutdownNow();
      }
    }
  }

  /** What its operations have decided. */
  private static List<String> die(TwoDatabases databases, String name) throws SQLException {
    List<String> decided = new ArrayList<>();
    for (int i = 0; i < EACH; i++) {
      String id = name + "-" + i;
      DeadOwner owner = new DeadOwner(databases, databases.participant(), id);
      if (i % 2 == 0) {
        owner.afterCommitting();
        decided.add(id);
      } else {
        owner.beforeCommitting();
      }
    }
    return decided;
  }

  /** What it was told is committed. */
  private static List<String> work(
      Holdfast holdfast, TwoDatabases databases, String name, AtomicBoolean goesOn) {
    List<String> done = new ArrayList<>();
    while (goesOn.get()) {
      String id = name + "-" + done.size();
      holdfast.atomically(
          holdfast.decider(),
          databases.participant(),
          (o, l) -> {
            o.update("insert into entry (id) values (?)", id);
            l.update("insert into entry (id) values (?)", id);
          });
      done.add(id);
    }
    return done;
  }
}
