package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventReader;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.RecordedEvent;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Readers beside writers that draw positions in one order and commit in another: no event is
 * overlooked, none comes twice, and no stream is inverted. The faulty readers that are usually
 * built stand beside them: were the workload too tame to show their faults, the sound ones' would
 * say nothing.
 */
final class EventRaceTest {
  private static final Duration LONG = Duration.ofMinutes(5);

  private final Log log = new Log();
  private final AtomicBoolean written = new AtomicBoolean();

  @AfterEach
  void end() {
    log.close();
  }

  /** The positions that come next; none when there is nothing to be had now. */
  @FunctionalInterface
  private interface Reader {
    List<Long> next() throws SQLException;
  }

  private CompletableFuture<List<Long>> start(Reader reader) {
    return CompletableFuture.supplyAsync(
        () -> {
          List<Long> all = new ArrayList<>();
          try {
            while (true) {
              boolean last = written.get();
              List<Long> some = reader.next();
              all.addAll(some);
              if (last && some.isEmpty()) {
                return all;
              }
            }
          } catch (SQLException e) {
            throw new IllegalStateException(e);
          }
        },
        task -> new Thread(task, "reader").start());
  }

  private Reader sound(int pageSize) {
    EventReader reader = log.log.reader(0);
    return () -> positions(reader.next(pageSize).events());
  }

  /** Dies at each look, and is begun anew from its checkpoint; which sees a mark's end seldom. */
  private Reader restarted(int looks) {
    EventReader[] reader = {log.log.reader(0)};
    int[] n = {0};
    return () -> {
      if (++n[0] % looks == 0) {
        reader[0] = log.log.reader(reader[0].checkpoint());
      }
      return positions(reader[0].next(7).events());
    };
  }

  private static List<Long> positions(List<RecordedEvent> events) {
    return events.stream().map(RecordedEvent::position).toList();
  }

  /** Faulty: reads behind the highest position that it has seen. */
  private Reader byHighest() {
    return behind("select position from ${schema}.event where position > %d order by 1");
  }

  /** Faulty: takes what is older than a while to be settled. */
  private Reader byAge() {
    return behind(
        "select position from ${schema}.event where position > %d and recorded_at < now() - interval '10 ms' order by 1");
  }

  /** Faulty: takes what is older than the oldest transaction to be settled. */
  private Reader byHorizon() {
    return behind(
        "select position from ${schema}.event where position > %d and xmin::text::bigint < pg_snapshot_xmin(pg_current_snapshot())::text::bigint order by 1");
  }

  private Reader behind(String sql) {
    long[] last = {0};
    return () -> {
      List<Long> some = query(sql.formatted(last[0]));
      last[0] = some.isEmpty() ? last[0] : some.get(some.size() - 1);
      return some;
    };
  }

  private List<Long> query(String sql) throws SQLException {
    try (Connection connection = Log.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(log.in(sql))) {
      List<Long> result = new ArrayList<>();
      while (rows.next()) {
        result.add(rows.getLong(1));
      }
      return result;
    }
  }

  private void assertStreamsHaveTheirOrder() throws SQLException {
    assertThat(
            log.ask(
                """
                select count(*) from (
                  select version, row_number() over (partition by stream order by position) as place
                  from ${schema}.event) as e
                where version <> place
                """))
        .as("events out of their stream's order")
        .isZero();
  }

  /** Of those that were read, all by all sound readers; how many the faulty ones have lost. */
  private Map<String, Integer> race(long seed, int writers, int operations) throws Exception {
    Map<String, CompletableFuture<List<Long>>> sound = new LinkedHashMap<>();
    sound.put("pages of 100", start(sound(100)));
    sound.put("pages of 3", start(sound(3)));
    sound.put("restarted", start(restarted(5)));
    Map<String, CompletableFuture<List<Long>>> faulty = new HashMap<>();
    faulty.put("by highest", start(byHighest()));
    faulty.put("by age", start(byAge()));
    try {
      new Writers(log, seed).run(writers, operations);
    } finally {
      written.set(true);
    }
    List<Long> truth = query("select position from ${schema}.event order by 1");
    assertThat(truth).hasSizeGreaterThan(writers * operations / 2);
    for (Map.Entry<String, CompletableFuture<List<Long>>> each : sound.entrySet()) {
      assertThat(each.getValue().get()).as("seed %d, %s", seed, each.getKey()).isEqualTo(truth);
    }
    assertStreamsHaveTheirOrder();
    Map<String, Integer> lost = new HashMap<>();
    for (Map.Entry<String, CompletableFuture<List<Long>>> each : faulty.entrySet()) {
      List<Long> missed = new ArrayList<>(truth);
      missed.removeAll(new java.util.HashSet<>(each.getValue().get()));
      lost.put(each.getKey(), missed.size());
    }
    return lost;
  }

  @Test
  @Attacks("eventlog.settled")
  void nothingIsOverlookedOrRepeatedAndFaultyReadersAre() throws Exception {
    Map<String, Integer> lost = race(1, 8, 60);
    assertThat(lost).hasSize(2).allSatisfy((reader, n) -> assertThat(n).as(reader).isPositive());
  }

  @Test
  @Tag("long")
  @Timeout(600)
  @Attacks("eventlog.settled")
  void nothingIsOverlookedForFiveMinutes() throws Exception {
    long begun = System.nanoTime();
    int events = 0;
    Map<String, Integer> lost = new HashMap<>();
    for (long seed = 100; System.nanoTime() - begun < LONG.toNanos(); seed++) {
      written.set(false);
      race(seed, 16, 400).forEach((reader, n) -> lost.merge(reader, n, Integer::sum));
      events += (int) log.ask("select count(*) from ${schema}.event");
      log.execute("truncate ${schema}.event, ${schema}.event_tag");
    }
    System.out.println("events " + events + ", lost by faulty readers " + lost);
    assertThat(lost).allSatisfy((reader, n) -> assertThat(n).as(reader).isPositive());
  }

  /**
   * Positions are drawn, and whoever has drawn them waits for a version and has no id yet. One that
   * comes later gets both before it.
   */
  @Test
  void aPositionMayBelongToALaterTransactionThanAHigherOne() throws Exception {
    log.append("a", "first");
    EventReader sound = log.log.reader(0);
    assertThat(Log.drain(sound, 10)).hasSize(1);
    Reader byHorizon = byHorizon();
    assertThat(byHorizon.next()).hasSize(1);
    Connection obstacle = Log.begin();
    log.append(obstacle, Append.to("s", ExpectedVersion.none(), Log.event("obstacle")));
    Connection early = Log.begin();
    CompletableFuture<?> waiting =
        CompletableFuture.supplyAsync(
            () ->
                log.append(
                    early,
                    Append.to(
                        "s", ExpectedVersion.none(), Log.event("early"), Log.event("early"))));
    Awaitility.await()
        .until(
            () ->
                log.ask(
                        "select count(*) from pg_locks where not granted and pid in (select pid from pg_locks where relation = '${schema}.event'::regclass)")
                    == 1);
    log.append("l", "late");
    Log.end(obstacle);
    waiting.get();
    List<Long> faulty = new ArrayList<>(byHorizon.next());
    assertThat(Log.drain(sound, 10)).isEmpty();
    early.commit();
    Log.end(early);
    faulty.addAll(byHorizon.next());
    assertThat(Log.bodies(Log.drain(sound, 10))).containsExactly("early", "early", "late");
    assertThat(faulty).as("read by the horizon, of three").hasSize(1);
  }
}
