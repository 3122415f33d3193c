package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Appended;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventIdReused;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.InvalidEvent;
import dev.holdfast.eventlog.StreamQuery;
import dev.holdfast.eventlog.WrongExpectedVersion;
import dev.holdfast.eventlog.store.LoneAppend;
import dev.holdfast.internal.Combiner;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Appends of several threads that share a commit: each is answered as if it were alone. */
final class SharedCommitTest {
  private static final ExpectedVersion ANY = ExpectedVersion.any();

  private final Log log = new Log();

  @AfterEach
  void end() {
    log.close();
  }

  private List<LoneAppend> together(Append... appends) {
    List<LoneAppend> all =
        Stream.of(appends)
            .map(append -> new LoneAppend(append, "op-" + append.hashCode()))
            .toList();
    log.holdfast.store().events().appendTogether(all);
    return all;
  }

  private static Append one(String stream, ExpectedVersion expected, EventData event) {
    return Append.to(stream, expected, event);
  }

  private static Appended answer(LoneAppend lone) {
    Appended answer = lone.answer();
    assertThat(answer).isNotNull();
    return answer;
  }

  @Test
  @Attacks({"eventlog.once", "eventlog.version"})
  void eachIsAnsweredAsIfItWereAlone() throws SQLException {
    EventData known = Log.event("1").withTags("t:1");
    log.log.append(one("known", ANY, known));
    EventData other =
        new EventData(known.id(), "noted", 1, "text/plain", new byte[3], Map.of(), Set.of());
    log.execute("update ${schema}.store set max_payload_bytes = 20");
    List<LoneAppend> all =
        together(
            one("new", ExpectedVersion.none(), Log.event("2").withTags("t:1", "t:2")),
            one("known", ExpectedVersion.exactly(7), Log.event("3")),
            one("known", ANY, Log.event("4")),
            one("known", ANY, Log.event("5")),
            one("known", ExpectedVersion.exactly(3), Log.event("6")),
            one("large", ANY, Log.event("x".repeat(21))));
    assertThat(answer(all.get(0)).events())
        .singleElement()
        .satisfies(place -> assertThat(place.version()).isEqualTo(1));
    assertThatThrownBy(all.get(1)::answer)
        .isInstanceOf(WrongExpectedVersion.class)
        .hasMessageContaining("7")
        .satisfies(
            e ->
                assertThat(e.getStackTrace())
                    .anySatisfy(
                        frame -> assertThat(frame.getClassName()).isEqualTo(getClass().getName())));
    assertThat(answer(all.get(2)).version("known") + answer(all.get(3)).version("known"))
        .isEqualTo(2 + 3);
    assertThat(answer(all.get(4)).version("known")).isEqualTo(4);
    assertThatThrownBy(all.get(5)::answer)
        .isInstanceOf(InvalidEvent.class)
        .hasMessageContainingAll("21 bytes", "bound of 20");

    List<LoneAppend> again = together(one("known", ANY, known), one("b", ANY, Log.event("7")));
    assertThat(answer(again.get(0)).repeated()).isTrue();
    assertThat(answer(again.get(0)).version("known")).isEqualTo(1);
    assertThat(answer(again.get(1)).repeated()).isFalse();
    assertThatThrownBy(together(one("known", ANY, other)).get(0)::answer)
        .isInstanceOf(EventIdReused.class);

    assertThat(Log.bodies(log.log.read(StreamQuery.of("known"))))
        .startsWith("1")
        .endsWith("6")
        .hasSize(4);
    assertThat(
            log.list(
                "select e.stream || t.tag from ${schema}.event_tag t join ${schema}.event e using (position) order by 1"))
        .containsExactly("knownt:1", "newt:1", "newt:2");
    assertThat(log.ask("select count(distinct operation_id) from ${schema}.event")).isEqualTo(6);
    assertThat(log.ask("select count(*) from ${schema}.event")).isEqualTo(6);
  }

  @Test
  @Attacks("eventlog.atomicity")
  void whatWouldWaitForAnotherTransactionFailsForAllAndLeavesNothing() throws SQLException {
    Connection open = Log.begin();
    log.append(open, one("held", ANY, Log.event("1")));
    assertThatThrownBy(
            () -> together(one("a", ANY, Log.event("2")), one("held", ANY, Log.event("3"))))
        .isInstanceOf(DatabaseFailure.class);
    Log.end(open);
    assertThat(log.ask("select count(*) from ${schema}.event")).isZero();
  }

  @Test
  void whoeverComesWhileACommitIsUnderWaySharesTheNext() throws Exception {
    Connection first = Log.begin();
    log.append(first, one("held", ANY, Log.event("0")));
    List<CompletableFuture<Appended>> all = new ArrayList<>();
    all.add(Log.async(() -> log.append("held", "1")));
    awaitWaiting(1);
    for (int i = 0; i < 10; i++) {
      String stream = "queued-" + i;
      all.add(Log.async(() -> log.append(stream, "1")));
    }
    awaitQueued(11);
    Log.end(first);
    for (CompletableFuture<Appended> each : all) {
      each.get(30, TimeUnit.SECONDS);
    }
    assertThat(
            log.ask(
                "select count(distinct xmin::text) from ${schema}.event where stream like 'queued%'"))
        .isEqualTo(1);
    assertThat(log.ask("select count(*) from ${schema}.event")).isEqualTo(11);
  }

  @Test
  void whoeverWouldWaitHoldsUpNobody() throws Exception {
    Connection first = Log.begin();
    log.append(first, one("held", ANY, Log.event("0")));
    Connection second = Log.begin();
    log.append(second, one("also held", ANY, Log.event("0")));
    CompletableFuture<Appended> leader = Log.async(() -> log.append("held", "1"));
    awaitWaiting(1);
    CompletableFuture<Appended> waits = Log.async(() -> log.append("also held", "1"));
    CompletableFuture<Appended> free = Log.async(() -> log.append("free", "1"));
    CompletableFuture<Appended> refused =
        Log.async(
            () -> log.log.append(one("free too", ExpectedVersion.exactly(3), Log.event("1"))));
    awaitQueued(4);
    Log.end(first);
    leader.get(30, TimeUnit.SECONDS);
    free.get(30, TimeUnit.SECONDS);
    assertThatThrownBy(refused::join)
        .isInstanceOf(CompletionException.class)
        .hasCauseInstanceOf(WrongExpectedVersion.class);
    assertThat(waits).isNotDone();
    second.commit();
    Log.end(second);
    assertThat(waits.get(30, TimeUnit.SECONDS).version("also held")).isEqualTo(2);
  }

  @Test
  @Attacks("eventlog.once")
  void oneEventThatTwoThreadsAppendAtOnceIsThereOnce() throws Exception {
    Connection first = Log.begin();
    log.append(first, one("held", ANY, Log.event("0")));
    CompletableFuture<Appended> leader = Log.async(() -> log.append("held", "1"));
    awaitWaiting(1);
    EventData same =
        new EventData(UUID.randomUUID(), "noted", 1, "text/plain", new byte[1], Map.of(), Set.of());
    List<CompletableFuture<Appended>> both = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      both.add(Log.async(() -> log.log.append(one("same", ANY, same))));
    }
    awaitQueued(3);
    Log.end(first);
    leader.get(30, TimeUnit.SECONDS);
    assertThat(both.get(0).get(30, TimeUnit.SECONDS).events())
        .isEqualTo(both.get(1).get(30, TimeUnit.SECONDS).events());
    assertThat(both.stream().map(each -> each.join().repeated()))
        .containsExactlyInAnyOrder(true, false);
    assertThat(log.ask("select count(*) from ${schema}.event where stream = 'same'")).isOne();
  }

  private void awaitWaiting(long sessions) {
    Awaitility.await()
        .until(
            () ->
                log.ask(
                        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%"
                            + log.schema
                            + "%'")
                    == sessions);
  }

  /** Until so many threads have queued up, whoever does the others' work among them. */
  private static void awaitQueued(long threads) {
    Awaitility.await()
        .until(
            () ->
                Thread.getAllStackTraces().entrySet().stream()
                        .filter(each -> each.getKey().getName().equals("beside"))
                        .filter(
                            each ->
                                isIn("lead", each.getValue())
                                    || (each.getKey().getState() == Thread.State.WAITING
                                        && isIn("submit", each.getValue())))
                        .count()
                    == threads);
  }

  private static boolean isIn(String method, StackTraceElement[] stack) {
    return Stream.of(stack)
        .anyMatch(
            frame ->
                frame.getClassName().equals(Combiner.class.getName())
                    && frame.getMethodName().equals(method));
  }
}
