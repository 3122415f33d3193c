package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Condition;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventPage;
import dev.holdfast.eventlog.EventQuery;
import dev.holdfast.eventlog.EventReader;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.ImportedEvent;
import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Prints rates, of events of 200 bytes. */
@Tag("long")
final class EventThroughputTest {
  private static final String BODY = "{\"text\":\"" + "x".repeat(189) + "\"}";

  private final Log log = new Log();

  @AfterEach
  void end() {
    log.close();
  }

  /** One append of one thread. */
  @FunctionalInterface
  private interface One {
    void run(int thread, int i);
  }

  private void rate(String what, int threads, int each, int events, One one) throws Exception {
    run(threads, Math.min(each, 300), (thread, i) -> one.run(thread, -1 - i));
    List<Long> rates = new ArrayList<>();
    for (int round = 0; round < 3; round++) {
      int from = round * each;
      long begun = Doorbell.nanos();
      run(threads, each, (thread, i) -> one.run(thread, from + i));
      Duration took = Doorbell.since(begun);
      rates.add((long) threads * each * events * 1_000 / took.toMillis());
    }
    System.out.printf("%s, %d connection(s): %s events/s%n", what, threads, rates);
  }

  private static void run(int threads, int each, One one) throws Exception {
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      int thread = t;
      all.add(
          CompletableFuture.runAsync(
              () -> IntStream.range(0, each).forEach(i -> one.run(thread, i)),
              task -> new Thread(task, "writer").start()));
    }
    CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get();
  }

  @Test
  void appending() throws Exception {
    for (int threads : new int[] {1, 8, 32}) {
      int each = 6_000 / threads;
      rate(
          "append to a stream of its own, any version",
          threads,
          each,
          1,
          (thread, i) -> log.append(threads + "/" + thread, BODY));
    }
    rate(
        "append of 20 events to a new stream",
        8,
        200,
        20,
        (thread, i) ->
            log.append(
                "n" + thread + "/" + i,
                ExpectedVersion.none(),
                IntStream.range(0, 20).mapToObj(n -> Log.event(BODY)).toArray(EventData[]::new)));
    rate(
        "append with two tags",
        8,
        750,
        1,
        (thread, i) ->
            log.append(
                "t" + thread,
                ExpectedVersion.any(),
                Log.event(BODY).withTags("a:" + thread, "b:" + i)));
    rate(
        "append with two tags, on a condition",
        8,
        250,
        1,
        (thread, i) ->
            log.log.append(
                Append.to(
                        "c" + thread,
                        ExpectedVersion.any(),
                        Log.event(BODY).withTags("c:" + thread, "d:" + thread + "/" + i))
                    .onlyIf(Condition.never(EventQuery.tags("d:" + thread + "/" + i)))));
    rate("append to one stream, any version", 8, 300, 1, (thread, i) -> log.append("hot", BODY));
  }

  @Test
  void importingAndReading() {
    int events = 200_000;
    Iterator<ImportedEvent> history =
        IntStream.range(0, events)
            .mapToObj(
                i ->
                    new ImportedEvent(
                        "s" + i % 1_000,
                        i / 1_000 + 1,
                        Log.event(BODY),
                        "import",
                        Instant.EPOCH.plusSeconds(i)))
            .iterator();
    long begun = Doorbell.nanos();
    assertThat(log.log.importAll(history).appended()).isEqualTo(events);
    System.out.printf("import: %d events/s%n", events * 1_000L / Doorbell.since(begun).toMillis());
    for (int pageSize : new int[] {500, 5_000, 500, 5_000}) {
      EventReader reader = log.log.reader(0);
      long from = Doorbell.nanos();
      int read = 0;
      for (EventPage page = reader.next(pageSize);
          !page.events().isEmpty();
          page = reader.next(pageSize)) {
        read += page.events().size();
      }
      assertThat(read).isEqualTo(events);
      System.out.printf(
          "read in pages of %d: %d events/s%n",
          pageSize, events * 1_000L / Doorbell.since(from).toMillis());
    }
  }
}
