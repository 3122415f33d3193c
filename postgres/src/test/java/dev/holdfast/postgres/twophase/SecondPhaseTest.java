package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.Heuristic;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is committed behind the reply, several branches at a time. */
final class SecondPhaseTest {
  private static final int MANY = 6;

  private TwoDatabases databases;
  private CountDownLatch mayConnect;

  @BeforeEach
  void open() throws SQLException {
    databases = new TwoDatabases();
    mayConnect = new CountDownLatch(1);
  }

  @AfterEach
  void close() {
    mayConnect.countDown();
    databases.close();
  }

  @Test
  void branchesThatHaveComeTogetherAreCommitted() throws SQLException {
    Participant held = held(databases.participant().branches());
    try (Holdfast holdfast = process(held)) {
      operateAll(holdfast, held);
      assertThat(prepared()).isEqualTo(MANY);
      mayConnect.countDown();
      awaitNothingPrepared();

      assertThat(TwoDatabases.entries(databases.ledger)).containsExactlyElementsOf(ids());
      assertThat(holdfast.twoPhase().heuristics(10)).isEmpty();
    }
  }

  /** Its statement ends the pipeline: those behind it are committed all the same. */
  @Test
  @Attacks("twophase.heuristics")
  void oneThatWasRolledBackByHandKeepsTheOthersFromNothingAndIsReported() throws SQLException {
    Participant held = held(databases.participant().branches());
    try (Holdfast holdfast = process(held)) {
      operateAll(holdfast, held);
      String gid =
          TwoDatabases.list(
                  databases.ledger,
                  "select gid from pg_prepared_xacts where database = current_database() order by prepared")
              .get(MANY / 2);
      TwoDatabases.execute(databases.ledger, "rollback prepared '" + gid + "'");
      mayConnect.countDown();
      awaitNothingPrepared();

      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () ->
                  assertThat(holdfast.twoPhase().heuristics(10))
                      .extracting(Heuristic::kind)
                      .containsExactly(Heuristic.Kind.ROLLED_BACK));
      assertThat(TwoDatabases.entries(databases.ledger)).hasSize(MANY - 1);
      assertThat(TwoDatabases.entries(databases.orders)).hasSize(MANY);
    }
  }

  /** Such a driver sends several statements as one, in which none of them may be committed. */
  @Test
  void aDriverWithoutPipelinesCommitsThemOneByOne() throws SQLException {
    HikariDataSource simple =
        databases.pool(
            TwoDatabases.ledgerServer().jdbcUrl(databases.name) + "&preferQueryMode=simple", 10);
    Participant held = held(Participant.of("ledger", simple).branches());
    try (Holdfast holdfast = process(held)) {
      operateAll(holdfast, held);
      mayConnect.countDown();
      awaitNothingPrepared();

      assertThat(TwoDatabases.entries(databases.ledger)).containsExactlyElementsOf(ids());
      assertThat(holdfast.twoPhase().heuristics(10)).isEmpty();
    }
  }

  @Test
  void aThreadThatGetsNoAnswerHoldsUpNoOtherBranch() throws SQLException {
    AtomicBoolean isFirst = new AtomicBoolean(true);
    Participant held =
        Participant.of(
            "ledger",
            Meddled.before(
                databases.participant().branches(),
                "connect",
                gid -> {
                  if (isSecondPhase() && isFirst.getAndSet(false)) {
                    assertThat(mayConnect.await(60, TimeUnit.SECONDS)).isTrue();
                  }
                }));
    try (Holdfast holdfast = process(held)) {
      operateAll(holdfast, held);
      // All but those that the first thread has in hand.
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(() -> assertThat(prepared()).isLessThan(MANY));
      mayConnect.countDown();
      awaitNothingPrepared();
    }
  }

  /** However many of its branches there are. */
  @Test
  void aParticipantThatGivesNoAnswerHoldsUpNoOther() throws SQLException {
    Participant silent = held(databases.participant().branches());
    String name = databases.name + "_stock";
    TwoDatabases.ledgerServer().createDatabase(name);
    HikariDataSource pool = databases.pool(TwoDatabases.ledgerServer().jdbcUrl(name), 4);
    TwoDatabases.execute(pool, "create table entry (id text primary key)");
    Participant stock = Participant.of("stock", pool);
    stock.branches().schema().migrate();
    try (Holdfast holdfast = process(silent)) {
      for (int i = 0; i < 8; i++) {
        operateAll(holdfast, silent, ids(i));
      }
      operateAll(holdfast, stock, ids(8));
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () -> {
                assertThat(TwoDatabases.entries(pool)).containsExactlyElementsOf(ids(8));
                assertThat(mayConnect.getCount()).isOne();
              });
      mayConnect.countDown();
      awaitNothingPrepared();
    }
  }

  /** Whoever asked it something while the work holds its only connection would wait in vain. */
  @Test
  void aPoolOfOneConnectionIsEnoughForAParticipant() throws SQLException {
    HikariDataSource pool = databases.pool(TwoDatabases.ledgerServer().jdbcUrl(databases.name), 1);
    Participant small = Participant.of("ledger", pool);
    try (Holdfast holdfast = process(small)) {
      operateAll(holdfast, small);
      awaitNothingPrepared();
      assertThat(TwoDatabases.entries(databases.ledger)).containsExactlyElementsOf(ids());
    }
  }

  private static boolean isSecondPhase() {
    return Thread.currentThread().getName().startsWith("holdfast-second-phase");
  }

  /** The second phase waits for its connection, so that branches gather. */
  private Participant held(BranchStore branches) {
    return Participant.of(
        "ledger",
        Meddled.before(
            branches,
            "connect",
            gid -> {
              if (isSecondPhase()) {
                assertThat(mayConnect.await(60, TimeUnit.SECONDS)).isTrue();
              }
            }));
  }

  private Holdfast process(Participant ledger) {
    return databases.process(ledger, TwoDatabases.SETTINGS.withAsynchronousSecondPhase(true));
  }

  private static void operateAll(Holdfast holdfast, Participant ledger) {
    operateAll(holdfast, ledger, ids());
  }

  private static void operateAll(Holdfast holdfast, Participant ledger, List<String> ids) {
    for (String id : ids) {
      holdfast.atomically(
          holdfast.decider(),
          ledger,
          (o, l) -> {
            o.update("insert into entry (id) values (?)", id);
            l.update("insert into entry (id) values (?)", id);
          });
    }
  }

  private static List<String> ids() {
    return ids(0);
  }

  private static List<String> ids(int round) {
    return IntStream.range(round * MANY, (round + 1) * MANY).mapToObj(Integer::toString).toList();
  }

  private int prepared() throws SQLException {
    return TwoDatabases.list(
            databases.ledger,
            "select gid from pg_prepared_xacts where database = current_database()")
        .size();
  }

  private void awaitNothingPrepared() {
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(prepared()).isZero());
  }
}
