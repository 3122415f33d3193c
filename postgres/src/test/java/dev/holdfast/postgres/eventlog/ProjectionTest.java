package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventTypes;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.jackson.JacksonCodec;
import dev.holdfast.projection.Projection;
import dev.holdfast.projection.ProjectionSettings;
import dev.holdfast.projection.Projections;
import dev.holdfast.projection.store.ProjectionStore.Parked;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Views that follow the log, whoever is at them. */
final class ProjectionTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final ProjectionSettings QUICK =
      ProjectionSettings.DEFAULT
          .withBatch(20)
          .withAttempts(2, Duration.ofMillis(2))
          .withLease(Duration.ofSeconds(1))
          .withPollInterval(Duration.ofMillis(5));

  private final Log log = new Log();
  private final List<Projections> running = new ArrayList<>();
  private final Set<String> broken = ConcurrentHashMap.newKeySet();

  @BeforeEach
  void createView() throws Exception {
    for (String view : List.of("view1", "view2")) {
      log.execute(
          "create table ${schema}."
              + view
              + " (n bigint generated always as identity, stream text,"
              + " version bigint, body text)");
    }
  }

  @AfterEach
  void end() {
    running.forEach(Projections::close);
    log.close();
  }

  /** Writes down what comes; nothing keeps it from doing so twice but the projection. */
  private Projection.Builder notes(int version) {
    return Projection.named("notes", version)
        .on(
            "noted",
            (tx, event) -> {
              if (broken.contains(event.text())) {
                throw new IllegalStateException("cannot have " + event.text());
              }
              tx.update(
                  log.in(
                      "insert into ${schema}.view"
                          + version
                          + " (stream, version, body)"
                          + " values (?, ?, ?)"),
                  event.stream(),
                  event.version(),
                  event.text());
            });
  }

  private Projections run(Projection... projections) {
    Projections made = Projections.start(log.holdfast, QUICK, projections);
    running.add(made);
    return made;
  }

  private List<String> view(int version, String stream) throws Exception {
    return log.list(
        "select body from ${schema}.view%d where stream = '%s' order by n"
            .formatted(version, stream));
  }

  private void assertViewIsWhole(int version, int streams, int each) throws Exception {
    for (int s = 0; s < streams; s++) {
      List<String> expected = new ArrayList<>();
      for (int i = 1; i <= each; i++) {
        expected.add("\"" + i + "\"");
      }
      assertThat(view(version, "s" + s)).as("s" + s).isEqualTo(expected);
    }
  }

  private long appendTo(int streams, int each) {
    long last = 0;
    for (int i = 1; i <= each; i++) {
      for (int s = 0; s < streams; s++) {
        last = log.append("s" + s, "\"" + i + "\"").position();
      }
    }
    return last;
  }

  @Test
  @Attacks({"projection.once", "projection.order", "projection.awaited"})
  void hasEachEventOnceAndInOrderInWhateverSlots() throws Exception {
    Projections projections = run(notes(1).slots(3).build());
    long last = appendTo(7, 30);
    assertThat(projections.awaitApplied("notes", last, SOON)).isTrue();
    assertViewIsWhole(1, 7, 30);
    assertThat(projections.awaitApplied("notes", last + 1, Duration.ofMillis(50))).isFalse();
    assertThat(projections.awaitApplied("nobody", 1, Duration.ofMillis(5))).isFalse();
  }

  @Test
  @Attacks({"projection.once", "projection.fence"})
  void hasEachEventOnceThoughSlotsAreTakenFromWhoeverIsAtThem() throws Exception {
    Projection projection = notes(1).slots(2).build();
    run(projection);
    run(projection);
    run(projection);
    AtomicBoolean over = new AtomicBoolean();
    Thread thief =
        new Thread(
            () -> {
              while (!over.get()) {
                try {
                  // Its owner goes on, and does not know.
                  log.execute("update ${schema}.lease set owner = null where name like 'proj%'");
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              }
            });
    thief.start();
    long last = appendTo(5, 60);
    assertThat(running.get(0).awaitApplied("notes", last, SOON)).isTrue();
    over.set(true);
    thief.join();
    assertViewIsWhole(1, 5, 60);
  }

  @Test
  @Attacks("projection.takeover")
  void goesOnElsewhereWhenAProcessEnds() throws Exception {
    Projection projection = notes(1).slots(2).build();
    Projections first = run(projection);
    Projections second = run(projection);
    appendTo(4, 10);
    first.close();
    long last = appendTo(4, 10);
    assertThat(second.awaitApplied("notes", last, SOON)).isTrue();
    for (int s = 0; s < 4; s++) {
      assertThat(view(1, "s" + s)).hasSize(20).startsWith("\"1\"", "\"2\"");
    }
  }

  @Test
  @Attacks({"projection.parked", "projection.order"})
  void parksAKeyAtWhatCannotBeAppliedAndOthersGoOn() throws Exception {
    broken.add("\"3\"");
    Projections projections = run(notes(1).build());
    appendTo(1, 5);
    log.append("other", "\"3x\"");
    long last = log.append("other", "\"4\"").position();
    assertThat(projections.awaitApplied("notes", last, SOON)).isTrue();
    assertThat(view(1, "s0")).containsExactly("\"1\"", "\"2\"");
    assertThat(view(1, "other")).containsExactly("\"3x\"", "\"4\"");
    List<Parked> parked = projections.parked("notes", 1);
    assertThat(parked).extracting(Parked::key).containsExactly("s0");
    assertThat(parked.get(0).reason()).contains("cannot have \"3\"");

    assertThatThrownBy(() -> projections.replay("notes", 1, "s0"))
        .hasMessageContaining("cannot have");
    assertThat(view(1, "s0")).hasSize(2);
    broken.clear();
    assertThat(projections.replay("notes", 1, "s0")).isEqualTo(3);
    assertThat(projections.replay("notes", 1, "s0")).isZero();
    last = log.append("s0", "\"6\"").position();
    assertThat(projections.awaitApplied("notes", last, SOON)).isTrue();
    assertViewIsWhole(1, 1, 6);
    assertThat(projections.parked("notes", 1)).isEmpty();
  }

  @Test
  void parksNoMoreThanAThousandKeysAndWaitsThenForWhatIsWrong() throws Exception {
    log.execute(
        """
        do $$ begin
          for i in 1 .. 1003 loop
            perform ${schema}.append_events(array['s' || i], array[0], array[1],
              array[gen_random_uuid()], array['noted'], array[1], array['application/json'],
              array['"1"'::bytea], array[null::text], null, null, 'o');
          end loop;
        end $$
        """);
    broken.add("\"1\"");
    Projections projections = run(notes(1).build());
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> projections.parked("notes", 1).size() == 1_000);
    long at = projections.applied("notes", 1);
    broken.clear();
    Awaitility.await().atMost(SOON).until(() -> projections.applied("notes", 1) >= at + 3);
    assertThat(log.list("select count(*)::text from ${schema}.view1")).containsExactly("3");
    assertThat(projections.parked("notes", 1)).hasSize(1_000);
  }

  @Test
  @Attacks("projection.parked")
  void losesNothingWhileKeysAreParkedAndReplayed() throws Exception {
    Projections projections = run(notes(1).slots(2).build());
    Random random = new Random(11);
    long last = 0;
    for (int i = 1; i <= 120; i++) {
      for (int s = 0; s < 3; s++) {
        if (random.nextInt(12) == 0) {
          broken.add("\"" + i + "\"");
        }
        last = log.append("s" + s, "\"" + i + "\"").position();
        if (random.nextInt(6) == 0) {
          broken.clear();
          for (Parked parked : projections.parked("notes", 1)) {
            projections.replay("notes", 1, parked.key());
          }
        }
      }
    }
    broken.clear();
    assertThat(projections.awaitApplied("notes", last, SOON)).isTrue();
    for (Parked parked : projections.parked("notes", 1)) {
      projections.replay("notes", 1, parked.key());
    }
    assertViewIsWhole(1, 3, 120);
  }

  /** Writers that roll back, thieves of slots, failures and replays, all at once. */
  @Test
  @Attacks({"projection.once", "projection.order", "projection.parked"})
  void losesAndRepeatsNothingWhateverComesTogether() throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    Random failures = new Random(5);
    Projection projection =
        Projection.named("notes", 1)
            .slots(3)
            .on(
                "noted",
                (tx, event) -> {
                  tx.update(
                      log.in("insert into ${schema}.view1 (stream, body) values (?, ?)"),
                      event.stream(),
                      event.text());
                  if (!over.get() && failures.nextInt(8) == 0) {
                    throw new IllegalStateException("not now");
                  }
                })
            .build();
    for (int i = 0; i < 3; i++) {
      // At once: a thief has come before a second attempt.
      ProjectionSettings settings = QUICK.withAttempts(1, Duration.ofMillis(1));
      running.add(Projections.start(log.holdfast, settings, projection));
    }
    Projections any = running.get(0);
    Thread thief =
        Log.thread(
            () -> {
              while (!over.get()) {
                log.execute("update ${schema}.lease set owner = null where name like 'proj%'");
                any.parked("notes", 1).forEach(parked -> replayed(any, parked.key()));
              }
            });
    List<Thread> writers = new ArrayList<>();
    for (int w = 0; w < 3; w++) {
      String stream = "s" + w;
      Random random = new Random(w);
      writers.add(
          Log.thread(
              () -> {
                for (int i = 1; i <= 150; i++) {
                  Connection undone = Log.begin();
                  log.append(
                      undone, Append.to(stream + "x", ExpectedVersion.any(), Log.event("0")));
                  log.append(stream, "\"" + i + "\"");
                  if (random.nextInt(5) == 0) {
                    undone.commit();
                  }
                  Log.end(undone);
                }
              }));
    }
    for (Thread writer : writers) {
      writer.join();
    }
    over.set(true);
    thief.join();
    long last = log.append("end", "0").position();
    assertThat(any.awaitApplied("notes", last, SOON)).isTrue();
    any.parked("notes", 1).forEach(parked -> any.replay("notes", 1, parked.key()));
    assertViewIsWhole(1, 3, 150);
  }

  private static void replayed(Projections projections, String key) {
    try {
      projections.replay("notes", 1, key);
    } catch (RuntimeException e) {
      // It is parked again.
    }
  }

  @Test
  @Attacks("projection.parked")
  void parksWhatNobodyKnowsAndPassesOverWhatIsIgnored() throws Exception {
    Projections projections =
        run(notes(1).ignore("boring").build(), notes(1, "lenient").ignoreOthers().build());
    log.log.append(
        Append.to(
            "a",
            ExpectedVersion.any(),
            EventData.json("boring", "1"),
            EventData.json("unheard-of", "2")));
    long last = log.append("b", "\"1\"").position();
    assertThat(projections.awaitApplied("notes", last, SOON)).isTrue();
    assertThat(projections.awaitApplied("lenient", last, SOON)).isTrue();
    assertThat(projections.parked("notes", 1))
        .singleElement()
        .satisfies(parked -> assertThat(parked.reason()).contains("type unheard-of"));
    assertThat(projections.parked("lenient", 1)).isEmpty();
  }

  private Projection.Builder notes(int version, String name) {
    return Projection.named(name, version).on("noted", (tx, event) -> {});
  }

  @Test
  @Attacks("projection.rebuild")
  void isRebuiltBesideTheLiveOneWhichItThenReplaces() throws Exception {
    Projections first = run(notes(1).build());
    long last = appendTo(2, 40);
    assertThat(first.awaitApplied("notes", last, SOON)).isTrue();
    AtomicInteger switches = new AtomicInteger();
    Projection rebuilt =
        notes(2)
            .slots(2)
            .onSwitch(
                tx -> {
                  switches.incrementAndGet();
                  tx.update(log.in("create view ${schema}.view as select * from ${schema}.view2"));
                })
            .build();
    Projections second = run(notes(1).build(), rebuilt);
    Awaitility.await().atMost(SOON).until(() -> second.live("notes") == 2);
    last = appendTo(2, 1);
    assertThat(second.awaitApplied("notes", last, SOON)).isTrue();
    assertThat(log.list("select count(*)::text from ${schema}.view")).containsExactly("82");
    assertThat(switches).hasValue(1);
    for (int s = 0; s < 2; s++) {
      assertThat(view(2, "s" + s)).hasSize(41);
    }
  }

  @Test
  void takesEventsTogetherAndEachByItselfWhereOneFails() throws Exception {
    List<Integer> sizes = Collections.synchronizedList(new ArrayList<>());
    appendTo(3, 20);
    broken.add("\"7\"");
    Projections projections =
        run(
            Projection.named("together", 1)
                .onBatch(
                    (tx, events) -> {
                      sizes.add(events.size());
                      for (RecordedEvent event : events) {
                        if (event.stream().equals("s1") && broken.contains(event.text())) {
                          throw new IllegalStateException("cannot have " + event.text());
                        }
                        tx.update(
                            log.in(
                                "insert into ${schema}.view1 (stream, version, body) values (?, ?, ?)"),
                            event.stream(),
                            event.version(),
                            event.text());
                      }
                    },
                    "noted")
                .build());
    long last = log.append("s2", "\"21\"").position();
    assertThat(projections.awaitApplied("together", last, SOON)).isTrue();
    assertThat(sizes).contains(1, 20);
    assertThat(view(1, "s0")).hasSize(20);
    assertThat(view(1, "s1")).hasSize(6);
    assertThat(view(1, "s2")).hasSize(21);
    broken.clear();
    assertThat(projections.replay("together", 1, "s1")).isEqualTo(14);
    assertViewIsWhole(1, 2, 20);
    assertThatThrownBy(
            () ->
                Projection.named("mixed", 1)
                    .onBatch((tx, events) -> {}, "a")
                    .on("b", (tx, event) -> {})
                    .build())
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("onBatch");
  }

  @Test
  @Attacks("projection.parked")
  void replaysAllOfAKeyWhileOthersAreAppending() throws Exception {
    broken.add("\"2\"");
    Projections projections = run(notes(1).build());
    long last = appendTo(1, 4);
    assertThat(projections.awaitApplied("notes", last, SOON)).isTrue();
    broken.clear();
    // Whoever begins to read now has to wait for this one.
    Connection open = Log.begin();
    try {
      log.append(open, Append.to("other", ExpectedVersion.any(), Log.event("\"x\"")));
      assertThat(projections.replay("notes", 1, "s0")).isEqualTo(3);
    } finally {
      Log.end(open);
    }
    assertThat(projections.parked("notes", 1)).isEmpty();
    assertViewIsWhole(1, 1, 4);
  }

  /** Events that were renamed since, as the projection finds them when it is built anew. */
  @Test
  @Attacks({"projection.once", "projection.rebuild"})
  void appliesWhatWasRecordedUnderAFormerName() throws Exception {
    EventTypes<Accounts.Event> types =
        EventTypes.of(Accounts.Event.class)
            .type("paid-in", Accounts.PaidIn.class)
            .type("paid-out", Accounts.PaidOut.class)
            .type("closed", Accounts.Closed.class)
            .renamed("noted", "paid-in")
            .build(new JacksonCodec());
    log.append("s0", "{\"cents\": 1}");
    long last =
        log.append(
                "s0",
                ExpectedVersion.any(),
                types.write(UUID.randomUUID(), new Accounts.PaidIn(2)),
                types.write(UUID.randomUUID(), new Accounts.PaidOut(3)))
            .position();
    Projections projections =
        run(
            Projection.named("paid", 1)
                .on(
                    types,
                    Accounts.PaidIn.class,
                    (tx, paid, event) ->
                        tx.update(
                            log.in("insert into ${schema}.view1 (stream, body) values (?, ?)"),
                            event.stream(),
                            "" + paid.cents()))
                .build());
    assertThat(projections.awaitApplied("paid", last, SOON)).isTrue();
    assertThat(projections.parked("paid", 1)).isEmpty();
    assertThat(view(1, "s0")).containsExactly("1", "2");
  }

  @Test
  @Attacks("projection.takeover")
  void goesOnThoughAHandlerLeavesItsThreadInterrupted() throws Exception {
    Projections projections =
        run(
            Projection.named("interrupts", 1)
                .on("noted", (tx, event) -> Thread.currentThread().interrupt())
                .build());
    long last = appendTo(1, 1);
    assertThat(projections.awaitApplied("interrupts", last, SOON)).isTrue();
    last = appendTo(1, 1);
    assertThat(projections.awaitApplied("interrupts", last, SOON)).isTrue();
  }

  @Test
  @Attacks("projection.parked")
  void parksAKeyAtWhatOverflowsTheStack() throws Exception {
    Projections projections =
        run(
            Projection.named("deep", 1)
                .on(
                    "noted",
                    (tx, event) -> {
                      if (event.text().equals("\"deep\"")) {
                        throw new StackOverflowError();
                      }
                    })
                .build());
    log.append("a", "\"deep\"");
    long last = log.append("b", "\"1\"").position();
    assertThat(projections.awaitApplied("deep", last, SOON)).isTrue();
    assertThat(projections.parked("deep", 1)).extracting(Parked::key).containsExactly("a");
  }

  @Test
  @Attacks({"projection.awaited", "projection.rebuild"})
  void whoHasAwaitedTheFormerVersionFindsItsWriteInTheNextOne() throws Exception {
    Projections first = run(notes(1).build());
    assertThat(first.awaitApplied("notes", appendTo(1, 3), SOON)).isTrue();
    AtomicBoolean appliedByTheFormer = new AtomicBoolean();
    AtomicReference<List<String>> seen = new AtomicReference<>();
    Projection rebuilt =
        notes(2)
            .onSwitch(
                tx -> {
                  // This version has not got it, and takes over in a moment.
                  long own = Log.async(() -> log.append("s0", "\"4\"").position()).join();
                  appliedByTheFormer.set(first.awaitApplied("notes", own, Duration.ofMillis(500)));
                  seen.set(view(2, "s0"));
                })
            .build();
    Projections second = run(notes(1).build(), rebuilt);
    Awaitility.await().atMost(SOON).until(() -> second.live("notes") == 2);
    assertThat(appliedByTheFormer.get() && !seen.get().contains("\"4\"")).isFalse();
    Awaitility.await().atMost(SOON).until(() -> view(2, "s0").size() == 4);
  }

  @Test
  @Attacks("projection.rebuild")
  void isSwitchedToThoughSomebodyIsAppendingAtAnyTime() throws Exception {
    run(notes(1).build());
    long last = appendTo(2, 3);
    AtomicBoolean over = new AtomicBoolean();
    CountDownLatch isUnderWay = new CountDownLatch(1);
    Thread others =
        new Thread(
            () -> {
              try {
                Connection before = Log.begin();
                log.append(before, Append.to("other", ExpectedVersion.any(), Log.event("0")));
                isUnderWay.countDown();
                for (int i = 0; !over.get(); i++) {
                  Connection next = Log.begin();
                  String stream = "other" + i % 2;
                  log.append(next, Append.to(stream, ExpectedVersion.any(), Log.event("0")));
                  Log.end(before);
                  before = next;
                }
                Log.end(before);
              } catch (SQLException e) {
                throw new IllegalStateException(e);
              }
            });
    others.start();
    isUnderWay.await();
    try {
      Projections second = run(notes(1).build(), notes(2).build());
      Awaitility.await().atMost(SOON).until(() -> second.live("notes") == 2);
      assertThat(second.applied("notes", 2)).isGreaterThanOrEqualTo(last);
    } finally {
      over.set(true);
      others.join();
    }
  }

  /** What is under way may take too long, and is cut off; that says nothing about its event. */
  @Test
  @Attacks("projection.parked")
  void parksNothingForBeingClosed() throws Exception {
    AtomicInteger times = new AtomicInteger();
    AtomicReference<Thread> worker = new AtomicReference<>();
    Projections projections =
        Projections.start(
            log.holdfast,
            QUICK.withAttempts(1, Duration.ofMillis(1)),
            Projection.named("slow", 1)
                .on(
                    "noted",
                    (tx, event) -> {
                      times.incrementAndGet();
                      worker.set(Thread.currentThread());
                      if (times.get() == 1) {
                        new CountDownLatch(1).await();
                      }
                      throw new IllegalStateException("closed");
                    })
                .build());
    log.append("a", "1");
    Awaitility.await().atMost(SOON).until(() -> worker.get() != null);
    Thread closer = new Thread(projections::close);
    closer.start();
    Awaitility.await().atMost(SOON).until(() -> closer.getState() == Thread.State.TIMED_WAITING);
    worker.get().interrupt();
    closer.join();
    assertThat(times).hasValue(1);
    assertThat(projections.parked("slow", 1)).isEmpty();
  }

  /** Whose slots others have: it waits for them for as long as a part of the lease. */
  @Test
  @Timeout(20)
  void aStandbyIsClosedAtOnce() throws Exception {
    Projection projection = notes(1).slots(4).build();
    ProjectionSettings patient = QUICK.withLease(Duration.ofHours(1));
    Projections first = Projections.start(log.holdfast, patient, projection);
    running.add(first);
    assertThat(first.awaitApplied("notes", appendTo(1, 1), SOON)).isTrue();
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    Projections standby = Projections.start(log.holdfast, patient, projection);
    Awaitility.await()
        .atMost(SOON)
        .until(
            () ->
                Thread.getAllStackTraces().keySet().stream()
                        .filter(each -> each.getName().startsWith("holdfast-projection-notes"))
                        .filter(each -> !before.contains(each))
                        .filter(each -> each.getState() == Thread.State.TIMED_WAITING)
                        .count()
                    == 4);
    standby.close();
  }

  @Test
  void refusesASecondHandlerForWhatIsTakenTogether() {
    assertThatThrownBy(
            () ->
                Projection.named("twice", 1)
                    .onBatch((tx, events) -> {}, "a")
                    .onBatch((tx, events) -> {}, "b")
                    .build())
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("onBatch");
  }

  @Test
  void hasARowNoLaterThanTheEventWhereItIsInline() throws Exception {
    Projection projection = notes(1).build();
    log.holdfast.transact(
        tx -> {
          log.log.append(
              tx, Append.to("s0", ExpectedVersion.none(), Log.event("\"1\""), Log.event("\"2\"")));
          Projections.applyInline(
              tx, projection, log.log.read(tx, dev.holdfast.eventlog.StreamQuery.of("s0")));
        });
    assertViewIsWhole(1, 1, 2);
  }

  @Test
  @Attacks("projection.rebuild")
  void switchesToTheFirstVersionAsWell() throws Exception {
    AtomicInteger switches = new AtomicInteger();
    Projection first = notes(1).onSwitch(tx -> switches.incrementAndGet()).build();
    Projections projections = run(first);
    run(first);
    long last = appendTo(1, 1);
    assertThat(projections.awaitApplied("notes", last, SOON)).isTrue();
    assertThat(switches).hasValue(1);
  }

  @Test
  @Attacks("projection.takeover")
  void keepsASlotThoughNothingComesForLongerThanItsLease() throws Exception {
    ProjectionSettings patient = QUICK.withPollInterval(Duration.ofMinutes(1));
    String lease = "from ${schema}.lease where name like 'projection/%' and owner is not null";
    running.add(Projections.start(log.holdfast, patient, notes(1).build()));
    Awaitility.await().atMost(SOON).until(() -> log.ask("select count(*) " + lease) == 1);
    List<String> owner = log.list("select owner " + lease);
    String until = log.list("select expires_at::text " + lease).get(0);
    running.add(Projections.start(log.holdfast, patient, notes(1).build()));
    Awaitility.await()
        .atMost(SOON)
        .until(
            () ->
                log.ask(
                        "select count(*) %s and expires_at > timestamptz '%s' + interval '2 s'"
                            .formatted(lease, until))
                    == 1);
    assertThat(log.list("select owner " + lease)).isEqualTo(owner);
  }

  @Test
  @Attacks("projection.rebuild")
  void isNotReplacedByOneThatHasParkedWhatItHasApplied() throws Exception {
    Projections first = run(notes(1).build());
    long last = appendTo(2, 2);
    assertThat(first.awaitApplied("notes", last, SOON)).isTrue();
    broken.add("\"2\"");
    Projections second = run(notes(2).build());
    for (int i = 0; i < 20; i++) {
      long next = log.append("other", "\"x\"").position();
      Awaitility.await()
          .atMost(SOON)
          .pollInterval(Duration.ofMillis(2))
          .until(() -> second.applied("notes", 2) >= next);
    }
    assertThat(second.parked("notes", 2)).hasSize(2);
    assertThat(second.live("notes")).isEqualTo(1);
    broken.clear();
    second.replay("notes", 2, "s0");
    second.replay("notes", 2, "s1");
    Awaitility.await().atMost(SOON).until(() -> second.live("notes") == 2);
  }

  @Test
  void parksAKeyThatIsTooLongToBeRecorded() throws Exception {
    Projection projection =
        Projection.named("long", 1)
            .key(event -> event.stream() + "\0" + "x".repeat(20_000) + event.stream())
            .on(
                "noted",
                (tx, event) -> {
                  if (event.stream().equals("bad")) {
                    throw new IllegalStateException("no");
                  }
                })
            .build();
    Projections projections =
        Projections.start(
            log.holdfast,
            ProjectionSettings.DEFAULT.withAttempts(1, Duration.ofMillis(1)),
            projection);
    running.add(projections);
    log.append("bad", "1");
    log.append("bad", "2");
    long last = log.append("good", "1").position();
    assertThat(projections.awaitApplied("long", last, SOON)).isTrue();
    assertThat(projections.parked("long", 1))
        .singleElement()
        .satisfies(parked -> assertThat(parked.key()).startsWith("bad ").hasSizeLessThan(200));
  }

  @Test
  void saysWhatCannotBe() {
    run(notes(1).slots(2).build());
    assertThatThrownBy(() -> Projections.of(log.holdfast, notes(1).slots(3).build()))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("has 2 slots");
    assertThatThrownBy(() -> Projections.of(log.holdfast, notes(1).build(), notes(1).build()))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("twice");
    assertThatThrownBy(() -> Projection.named("Notes", 1)).isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> Projection.named("notes", 1).build())
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("handles no event");
    assertThatThrownBy(() -> running.get(0).replay("other", 1, "a"))
        .isInstanceOf(InvalidConfiguration.class);
  }
}
