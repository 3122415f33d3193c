package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.holdfast.NoTransaction;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Appended;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventIdReused;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.InvalidEvent;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.StreamQuery;
import dev.holdfast.eventlog.WrongExpectedVersion;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is appended, and what is refused. */
final class AppendTest {
  private final Log log = new Log();

  @AfterEach
  void end() {
    log.close();
  }

  private List<String> stream(String stream) {
    return Log.bodies(log.log.read(StreamQuery.of(stream)));
  }

  @Test
  @Attacks("eventlog.atomicity")
  void eventsAreThereExactlyWhenTheTransactionIs() throws SQLException {
    log.holdfast.transact(
        tx -> {
          log.log.append(tx, Append.to("a", ExpectedVersion.none(), Log.event("1")));
          assertThat(Log.bodies(log.log.read(tx, StreamQuery.of("a")))).containsExactly("1");
        });
    assertThatThrownBy(
            () ->
                log.holdfast.transact(
                    tx -> {
                      log.log.append(tx, Append.to("a", ExpectedVersion.any(), Log.event("2")));
                      throw new IllegalStateException("no");
                    }))
        .hasMessage("no");
    assertThat(stream("a")).containsExactly("1");
    assertThatThrownBy(
            () -> {
              try (Connection connection = Log.dataSource().getConnection()) {
                log.append(connection, Append.to("a", ExpectedVersion.any(), Log.event("2")));
              }
            })
        .isInstanceOf(NoTransaction.class);
  }

  @Test
  void anEventIsReadAsItWasAppended() throws SQLException {
    EventData event =
        new EventData(
                UUID.randomUUID(),
                "placed",
                3,
                "application/octet-stream",
                new byte[] {0, 1, -1},
                java.util.Map.of("who", "me \"\\\u0001\u00e4"),
                java.util.Set.of("order:1", "customer:2"))
            .withMetadata("x", "y");
    Appended appended =
        log.log.append(
            Append.to("order/1", ExpectedVersion.none(), event)
                .withContext("c-1", "m-7", "00-abc")
                .operation("op-9"));
    RecordedEvent read = log.log.read(StreamQuery.of("order/1")).get(0);
    assertThat(read.id()).isEqualTo(event.id());
    assertThat(read.type()).isEqualTo("placed");
    assertThat(read.schemaVersion()).isEqualTo(3);
    assertThat(read.contentType()).isEqualTo("application/octet-stream");
    assertThat(read.data()).isEqualTo(new byte[] {0, 1, -1});
    assertThat(read.metadata())
        .containsOnly(
            java.util.Map.entry("who", "me \"\\\u0001\u00e4"),
            java.util.Map.entry("x", "y"),
            java.util.Map.entry(Append.CORRELATION, "c-1"),
            java.util.Map.entry(Append.CAUSATION, "m-7"),
            java.util.Map.entry(Append.TRACEPARENT, "00-abc"));
    assertThat(read.operationId()).isEqualTo("op-9");
    assertThat(read.position()).isEqualTo(appended.position());
    assertThat(log.ask("select count(*) from ${schema}.event_tag")).isEqualTo(2);
    assertThat(log.ask("select count(*) from ${schema}.operation_event where operation_id='op-9'"))
        .isEqualTo(1);
  }

  @Test
  @Attacks({"eventlog.atomicity", "eventlog.version"})
  void aWrongExpectationIsToldAndTheTransactionGoesOn() throws SQLException {
    log.append("a", "1", "2");
    log.holdfast.transact(
        tx -> {
          assertThatThrownBy(
                  () ->
                      log.log.append(
                          tx, Append.to("a", ExpectedVersion.exactly(1), Log.event("x"))))
              .isInstanceOf(WrongExpectedVersion.class)
              .hasMessageContainingAll("stream a", "at version 2", "expected 1", "decide anew")
              .asInstanceOf(type(WrongExpectedVersion.class))
              .extracting(WrongExpectedVersion::actual)
              .isEqualTo(2L);
          // A gap by hand: of a version that is not there yet.
          assertThatThrownBy(
                  () ->
                      log.log.append(
                          tx, Append.to("a", ExpectedVersion.exactly(7), Log.event("x"))))
              .isInstanceOf(WrongExpectedVersion.class)
              .hasMessageContaining("It has no event of version 7");
          assertThatThrownBy(
                  () -> log.log.append(tx, Append.to("a", ExpectedVersion.none(), Log.event("x"))))
              .isInstanceOf(WrongExpectedVersion.class);
          assertThat(
                  log.log
                      .append(tx, Append.to("a", ExpectedVersion.exactly(2), Log.event("3")))
                      .version("a"))
              .isEqualTo(3);
        });
    assertThat(stream("a")).containsExactly("1", "2", "3");
  }

  @Test
  @Attacks("eventlog.atomicity")
  void severalStreamsAreAppendedToAsOneOrNotAtAll() throws SQLException {
    log.append("b", "b1");
    Append both =
        Append.to("b", ExpectedVersion.exactly(1), Log.event("b2"), Log.event("b3"))
            .and("a", ExpectedVersion.none(), Log.event("a1"))
            .and("c", ExpectedVersion.any(), Log.event("c1"));
    Appended appended = log.log.append(both);
    assertThat(appended.events())
        .extracting(Appended.Place::stream)
        .containsExactly("b", "b", "a", "c");
    assertThat(appended.events())
        .extracting(Appended.Place::version)
        .containsExactly(2L, 3L, 1L, 1L);
    assertThat(appended.events()).extracting(Appended.Place::position).isSorted();
    assertThat(log.log.append(both).repeated()).isTrue();
    assertThat(log.log.append(both).events()).isEqualTo(appended.events());

    assertThatThrownBy(
            () ->
                log.log.append(
                    Append.to("a", ExpectedVersion.exactly(1), Log.event("a2"))
                        .and("b", ExpectedVersion.exactly(2), Log.event("b4"))))
        .isInstanceOf(WrongExpectedVersion.class)
        .hasMessageContaining("stream b is at version 3");
    assertThat(stream("a")).containsExactly("a1");
    assertThat(log.ask("select count(*) from ${schema}.event")).isEqualTo(5);
  }

  @Test
  @Attacks("eventlog.once")
  void theSameIsAppendedOnce() {
    EventData one = Log.event("1").withTags("t", "u");
    EventData two = Log.event("2");
    Append append = Append.to("a", ExpectedVersion.none(), one, two);
    Appended first = log.log.append(append);
    log.append("a", "3");
    Appended again = log.log.append(append);
    assertThat(first.repeated()).isFalse();
    assertThat(again).isEqualTo(new Appended(first.events(), true));
    assertThat(stream("a")).containsExactly("1", "2", "3");

    assertThatThrownBy(
            () ->
                log.append("a", ExpectedVersion.any(), EventData.json(one.id(), "noted", "other")))
        .isInstanceOf(EventIdReused.class)
        .hasMessageContainingAll(one.id().toString(), "version 1 of stream a", "another id");
    assertThatThrownBy(() -> log.append("a", ExpectedVersion.any(), one.withTags("t")))
        .isInstanceOf(EventIdReused.class);
    assertThatThrownBy(() -> log.append("b", ExpectedVersion.any(), one))
        .isInstanceOf(EventIdReused.class);
    assertThatThrownBy(() -> log.append("a", ExpectedVersion.any(), one, Log.event("4")))
        .isInstanceOf(EventIdReused.class)
        .hasMessageContaining("without others");
    assertThatThrownBy(() -> log.append("c", ExpectedVersion.any(), Log.event("4"), one))
        .isInstanceOf(EventIdReused.class);
    assertThat(stream("a")).containsExactly("1", "2", "3");
    assertThat(stream("c")).isEmpty();
  }

  @Test
  @Attacks("eventlog.once")
  void twoThatAppendTheSameAtOnceAreToldTheSame() throws Exception {
    Append append = Append.to("a", ExpectedVersion.none(), Log.event("1"), Log.event("2"));
    Connection open = Log.begin();
    Appended first = log.append(open, append);
    CompletableFuture<Appended> second = Log.async(() -> log.log.append(append));
    awaitWaiting(1);
    open.commit();
    Log.end(open);
    assertThat(second.get()).isEqualTo(new Appended(first.events(), true));
  }

  @Test
  @Attacks("eventlog.version")
  void ofTwoThatExpectTheSameVersionTheLaterIsRefusedAndLeavesNothing() throws Exception {
    Connection open = Log.begin();
    log.append(open, Append.to("b", ExpectedVersion.none(), Log.event("1")));
    // Its events 2 and 3 of b conflict with nobody, and neither do those of a and c.
    CompletableFuture<Appended> second =
        Log.async(
            () ->
                log.log.append(
                    Append.to("c", ExpectedVersion.none(), Log.event("c"))
                        .and(
                            "b",
                            ExpectedVersion.none(),
                            Log.event("x"),
                            Log.event("y"),
                            Log.event("z"))
                        .and("a", ExpectedVersion.any(), Log.event("a"))));
    awaitWaiting(1);
    open.commit();
    Log.end(open);
    assertThatThrownBy(second::get)
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isInstanceOf(WrongExpectedVersion.class)
        .hasMessageContaining("stream b is at version 1");
    assertThat(log.ask("select count(*) from ${schema}.event")).isEqualTo(1);
  }

  @Test
  void whoeverWaitsForARollbackAppends() throws Exception {
    Connection open = Log.begin();
    log.append(open, Append.to("a", ExpectedVersion.none(), Log.event("1")));
    CompletableFuture<Appended> second =
        Log.async(() -> log.append("a", ExpectedVersion.none(), Log.event("2"), Log.event("3")));
    awaitWaiting(1);
    Log.end(open);
    assertThat(second.get().version("a")).isEqualTo(2);
    assertThat(stream("a")).containsExactly("2", "3");
  }

  @Test
  @Attacks("eventlog.version")
  void manyThatAppendBehindAnythingAllAppend() throws Exception {
    List<CompletableFuture<Void>> writers = new ArrayList<>();
    for (int w = 0; w < 8; w++) {
      int writer = w;
      writers.add(
          CompletableFuture.runAsync(
              () -> {
                for (int i = 0; i < 25; i++) {
                  if (i % 2 == 0) {
                    log.append("hot", writer + "-" + i);
                  } else {
                    log.log.append(
                        Append.to("hot", ExpectedVersion.any(), Log.event(writer + "-" + i))
                            .and("warm", ExpectedVersion.any(), Log.event("w")));
                  }
                }
              }));
    }
    CompletableFuture.allOf(writers.toArray(CompletableFuture[]::new)).get();
    List<RecordedEvent> hot = log.log.read(StreamQuery.of("hot"));
    assertThat(hot).hasSize(200);
    assertThat(hot).extracting(RecordedEvent::position).isSorted();
    assertThat(hot).extracting(RecordedEvent::recordedAt).isSorted();
    assertThat(hot.get(199).version()).isEqualTo(200);
    assertThat(log.log.read(StreamQuery.of("warm"))).hasSize(96);
  }

  @Test
  void underRepeatableReadAConflictIsASerializationFailure() throws SQLException {
    Connection old = Log.begin();
    old.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    log.execute(old, "select 1");
    log.append("a", "1");
    assertThatThrownBy(
            () -> log.append(old, Append.to("a", ExpectedVersion.none(), Log.event("2"))))
        .hasMessageContaining("40001");
    old.rollback();
    old.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
    Log.end(old);
  }

  @Test
  void whatIsOverItsBoundIsRefused() throws SQLException {
    log.execute("update ${schema}.store set max_payload_bytes = 10");
    log.append("a", "0123456789");
    log.holdfast.transact(
        tx -> {
          assertThatThrownBy(
                  () ->
                      log.log.append(
                          tx, Append.to("a", ExpectedVersion.any(), Log.event("01234567890"))))
              .isInstanceOf(InvalidEvent.class)
              .hasMessageContainingAll("11 bytes", "bound of 10", "max_payload_bytes");
          log.log.append(tx, Append.to("a", ExpectedVersion.any(), Log.event("goes on")));
        });
    assertThat(stream("a")).hasSize(2);
    assertThatThrownBy(() -> log.append("x".repeat(201), "1")).isInstanceOf(InvalidEvent.class);
    assertThatThrownBy(() -> log.append("", "1")).isInstanceOf(InvalidEvent.class);
    assertThatThrownBy(() -> EventData.json("t\0", "1")).isInstanceOf(InvalidEvent.class);
    assertThatThrownBy(() -> Log.event("1").withTags("")).isInstanceOf(InvalidEvent.class);
    assertThatThrownBy(
            () ->
                Append.to(
                    "a",
                    ExpectedVersion.any(),
                    java.util.Collections.nCopies(1001, Log.event("1"))))
        .isInstanceOf(InvalidEvent.class);
    assertThatThrownBy(() -> ExpectedVersion.exactly(-1)).isInstanceOf(InvalidEvent.class);
  }

  @Test
  void whoeverCallsTheFunctionByHandIsHeldToTheSameBounds() {
    String call =
        "select ${schema}.append_events(array[%s], array[null, null]::bigint[], array[1, %d], array[gen_random_uuid(), gen_random_uuid()], array['t', %s], array[1, %s], array['x', 'x'], array['', '']::bytea[], array[null, null], array[1], array[%s], 'op')";
    for (String bad :
        List.of(
            call.formatted("repeat('s', 201)", 1, "'t'", "1", "'g'"),
            call.formatted("'s', ''", 2, "'t'", "1", "'g'"),
            call.formatted("'s'", 1, "''", "1", "'g'"),
            call.formatted("'s'", 1, "'t'", "0", "'g'"),
            call.formatted("'s'", 1, "'t'", "1", "repeat('g', 201)"))) {
      assertThatThrownBy(() -> log.list(bad))
          .isInstanceOf(SQLException.class)
          .hasMessageContaining("nothing was appended");
    }
    assertThat(stream("s")).isEmpty();
  }

  @Test
  @Attacks("eventlog.durability")
  void theCommitIsFlushedWhateverTheSessionSays() throws SQLException {
    Connection open = Log.begin();
    log.execute(open, "set local synchronous_commit = off");
    log.append(open, Append.to("a", ExpectedVersion.any(), Log.event("1")));
    try (java.sql.Statement statement = open.createStatement();
        java.sql.ResultSet row = statement.executeQuery("show synchronous_commit")) {
      row.next();
      assertThat(row.getString(1)).isEqualTo("on");
    }
    Log.end(open);
  }

  private void awaitWaiting(long sessions) {
    Awaitility.await()
        .until(
            () ->
                log.ask(
                        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%"
                            + log.schema
                            + ".append_events%'")
                    == sessions);
  }
}
