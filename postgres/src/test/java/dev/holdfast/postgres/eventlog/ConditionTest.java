package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Isolation;
import dev.holdfast.TransactionOptions;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Appended;
import dev.holdfast.eventlog.Condition;
import dev.holdfast.eventlog.ConditionFailed;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventQuery;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.ImportedEvent;
import dev.holdfast.eventlog.InvalidEvent;
import dev.holdfast.eventlog.Matching;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Appends that rest on what has not been appended: a boundary drawn by a decision. */
final class ConditionTest {
  private static final int RIVALS = 64;

  private final Log log = new Log();

  @AfterEach
  void end() {
    log.close();
  }

  private static EventData tagged(String type, String... tags) {
    return EventData.json(type, "{}").withTags(tags);
  }

  private Append subscribe(String student) {
    return Append.to(
        "subscription/" + student,
        ExpectedVersion.any(),
        tagged("subscribed", "course:1", "student:" + student));
  }

  @Test
  void whatMattersIsReadAndOnlyThatIsRuledOut() throws SQLException {
    log.log.append(subscribe("a"));
    log.append("x", ExpectedVersion.any(), tagged("renamed", "course:1"));
    log.append("x", ExpectedVersion.any(), tagged("subscribed", "course:2", "student:a"));
    EventQuery query = EventQuery.tags("course:1").ofTypes("subscribed");
    Matching matching = log.log.read(query);
    assertThat(matching.events()).hasSize(1);
    assertThat(matching.condition().since()).isEqualTo(3);
    assertThat(matching.condition().seen()).isEmpty();

    // Of another type, of other tags, and of none.
    log.append("x", ExpectedVersion.any(), tagged("renamed", "course:1"));
    log.append("x", ExpectedVersion.any(), tagged("subscribed", "course:2", "student:a"));
    log.append("x", "untagged");
    Append second = subscribe("b").onlyIf(matching.condition());
    assertThat(log.log.append(second).repeated()).isFalse();
    assertThat(log.log.append(second).repeated()).as("though it is ruled out by itself").isTrue();

    log.holdfast.transact(
        tx -> {
          assertThatThrownBy(() -> log.log.append(tx, subscribe("c").onlyIf(matching.condition())))
              .isInstanceOf(ConditionFailed.class)
              .hasMessageContainingAll("subscription/b", "position 7", "decide anew");
          log.log.append(tx, subscribe("c").onlyIf(log.log.read(query).condition()));
        });
    assertThat(log.log.read(query).events()).hasSize(3);
  }

  @Test
  void anEventHasToHaveAllTagsOfAnItemOfAny() {
    log.append("x", ExpectedVersion.any(), tagged("t", "a", "b"), tagged("t", "b", "c"));
    log.append("x", ExpectedVersion.any(), tagged("u", "a"), tagged("u", "d"));
    assertThat(log.log.read(EventQuery.tags("a", "b")).events()).hasSize(1);
    assertThat(log.log.read(EventQuery.tags("b")).events()).hasSize(2);
    assertThat(log.log.read(EventQuery.tags("a", "c")).events()).isEmpty();
    assertThat(log.log.read(EventQuery.tags("a").orTags("b").orTags("d").ofTypes("t")).events())
        .hasSize(3);
    assertThat(log.log.read(EventQuery.tags("a").ofTypes("u", "v").orTags("b", "c")).events())
        .hasSize(2);
    assertThatThrownBy(() -> EventQuery.tags())
        .isInstanceOf(InvalidEvent.class)
        .hasMessageContaining("1 to 20 tags");
  }

  /**
   * The highest position that was seen is no "since": the late one lies below it. It was there when
   * the decision was made, and nobody could see it.
   */
  @Test
  @Attacks("eventlog.condition")
  void anEventThatWasUnderWayWhenTheDecisionWasReadIsRuledOut() throws Exception {
    Connection late = Log.begin();
    log.append(late, subscribe("late"));
    log.log.append(subscribe("seen"));
    Matching matching = log.log.read(EventQuery.tags("course:1"));
    assertThat(matching.events()).hasSize(1);
    assertThat(matching.condition().since()).isZero();
    assertThat(matching.condition().seen()).containsExactly(2L);
    CompletableFuture<Appended> decided =
        Log.async(() -> log.log.append(subscribe("decided").onlyIf(matching.condition())));
    // It waits for the tag's lock, which the late one shares.
    Awaitility.await().until(() -> log.ask("select count(*) from pg_locks where not granted") == 1);
    late.commit();
    Log.end(late);
    assertThatThrownBy(decided::get).cause().isInstanceOf(ConditionFailed.class);

    // As it is usually done: behind the highest that was seen. It is decided on half of what is.
    Condition highest = new Condition(matching.condition().query(), 2, List.of());
    assertThat(log.log.append(subscribe("wrong").onlyIf(highest)).repeated()).isFalse();
  }

  @Test
  void aConditionNeedsToSeeWhatIsCommittedNow() {
    TransactionOptions repeatable =
        TransactionOptions.DEFAULT.withIsolation(Isolation.REPEATABLE_READ);
    assertThatThrownBy(
            () ->
                log.holdfast.transact(
                    repeatable,
                    tx ->
                        log.log.append(
                            tx,
                            subscribe("a").onlyIf(Condition.never(EventQuery.tags("course:1"))))))
        .hasMessageContainingAll("HF030", "nothing was appended");
  }

  /** How many of the rivals for one boundary have appended, in each round. */
  private List<Integer> winners(int rounds) throws Exception {
    List<Integer> winners = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(RIVALS);
    try {
      for (int round = 0; round < rounds; round++) {
        EventQuery seat = EventQuery.tags("seat:" + round);
        CyclicBarrier ready = new CyclicBarrier(RIVALS);
        List<Future<Boolean>> rivals = new ArrayList<>();
        for (int r = 0; r < RIVALS; r++) {
          Append taken =
              Append.to(
                      "rival/" + r,
                      ExpectedVersion.any(),
                      tagged("taken", "seat:" + round, "rival:" + r))
                  .onlyIf(Condition.never(seat));
          rivals.add(
              threads.submit(
                  () -> {
                    ready.await(30, TimeUnit.SECONDS);
                    try {
                      log.log.append(taken);
                      return true;
                    } catch (ConditionFailed e) {
                      return false;
                    }
                  }));
        }
        int won = 0;
        for (Future<Boolean> rival : rivals) {
          won += rival.get() ? 1 : 0;
        }
        assertThat(log.log.read(seat).events()).hasSize(won);
        winners.add(won);
      }
    } finally {
      threads.shutdownNow();
    }
    return winners;
  }

  @Test
  @Attacks("eventlog.condition")
  void ofManyRivalsForABoundaryOneWins() throws Exception {
    assertThat(winners(30)).containsOnly(1);
  }

  @Test
  @Tag("long")
  @Timeout(600)
  @Attacks("eventlog.condition")
  void ofManyRivalsForABoundaryOneWinsAThousandTimes() throws Exception {
    assertThat(winners(1_000)).containsOnly(1);
  }

  @Test
  void withoutTheLocksSeveralWin() throws Exception {
    log.execute(
        "create or replace function ${schema}.lock_tags(p_shared text[], p_alone text[]) returns void language sql as ''");
    assertThat(winners(10)).anyMatch(won -> won > 1);
  }

  /** Whoever only tags events shares the lock, or the examination would not see what it writes. */
  @Test
  void whereThoseWhoOnlyTagDoNotShareTheLockTheyAreOverlooked() throws Exception {
    log.execute(
        "create or replace function ${schema}.lock_tags(p_shared text[], p_alone text[]) returns void language sql as $$ select pg_advisory_xact_lock(1213156423, hashtext(t)) from unnest(p_alone) as t $$");
    Connection late = Log.begin();
    log.append(late, subscribe("late"));
    Condition never = Condition.never(EventQuery.tags("course:1"));
    assertThat(log.log.append(subscribe("decided").onlyIf(never)).repeated()).isFalse();
    late.commit();
    Log.end(late);
    assertThat(log.log.read(EventQuery.tags("course:1")).events()).hasSize(2);
  }

  /** Opposite orders of tags, with and without conditions: locks are taken in one order. */
  @Test
  void tagsInAnyOrderMeetInNoDeadlock() throws Exception {
    long before = log.ask("select deadlocks from pg_stat_database where datname = 'postgres'");
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int t = 0; t < 8; t++) {
        int thread = t;
        all.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < 40; i++) {
                    String one = "tag:" + (i + thread) % 5;
                    String two = "tag:" + (i * 3 + thread) % 5;
                    Append append =
                        Append.to("s" + thread, ExpectedVersion.any(), tagged("t", one, two));
                    EventQuery query = EventQuery.tags(two).orTags(one);
                    try {
                      log.log.append(
                          i % 2 == 0 ? append : append.onlyIf(log.log.read(query).condition()));
                    } catch (ConditionFailed e) {
                      // Somebody was faster.
                    }
                  }
                }));
      }
      for (Future<?> each : all) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(log.ask("select deadlocks from pg_stat_database where datname = 'postgres'"))
        .isEqualTo(before);
  }

  /** Of the tables that grow, as the server counts them for this session. */
  private long wholeReads(String sql, Append append) throws SQLException {
    Connection connection = Log.begin();
    log.execute(connection, "select pg_stat_force_next_flush()");
    connection.commit();
    long before = counted(connection);
    log.execute(connection, sql);
    log.append(connection, append);
    long after = counted(connection);
    connection.commit();
    Log.end(connection);
    return after - before;
  }

  private long counted(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                log.in(
                    "select sum(seq_scan) from pg_stat_xact_user_tables where schemaname = '${schema}' and relname in ('event', 'event_tag')"))) {
      row.next();
      return row.getLong(1);
    }
  }

  @Test
  void aConditionReadsNoTableAsAWhole() throws SQLException {
    List<ImportedEvent> history = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      history.add(
          new ImportedEvent(
              "s" + i, 1, tagged("t", "a:" + i % 10, "b:" + i), "import", Instant.EPOCH));
    }
    log.log.importAll(history.iterator());
    Append one =
        Append.to("new", ExpectedVersion.any(), tagged("t", "a:1", "c"))
            .onlyIf(Condition.never(EventQuery.tags("a:1", "b:2").ofTypes("t").orTags("c")));
    Append two =
        Append.to("new", ExpectedVersion.any(), tagged("t", "a:2", "d"))
            .onlyIf(Condition.never(EventQuery.tags("d")));
    assertThat(wholeReads("select 1", one)).isZero();
    assertThat(wholeReads("select sum(version) from ${schema}.event", two))
        .as("of a query that does, and the same")
        .isEqualTo(1);
  }
}
