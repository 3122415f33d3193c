package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Condition;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventLog;
import dev.holdfast.eventlog.EventPage;
import dev.holdfast.eventlog.EventQuery;
import dev.holdfast.eventlog.EventReader;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.projection.Projection;
import dev.holdfast.projection.ProjectionSettings;
import dev.holdfast.projection.Projections;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** Holdfast's event log and projections. */
final class HoldfastEventContender implements EventContender {
  private static final int PAGE = 5_000;
  private static final Duration LIMIT = Duration.ofMinutes(2);

  @Override
  public String name() {
    return "holdfast";
  }

  @Override
  public boolean takesPart(EventScenario scenario) {
    return true;
  }

  @Override
  public String guarantee(EventScenario scenario) {
    return switch (scenario) {
      case READ -> "every event once, in one order, flushed";
      case REBUILD -> "rows and checkpoint in one commit";
      default -> "no gap, no two of one version, repeats told; readers overlook nothing";
    };
  }

  @Override
  public Map<String, String> settings() {
    return Map.of("page", Integer.toString(PAGE));
  }

  @Override
  public void prepare(CountedServer server, long events) {
    try (HikariDataSource pool = Db.pool(server.url(), 2);
        Holdfast holdfast = Holdfast.on(pool).start()) {
      holdfast.eventLog();
    }
    Db.execute(
        server.database(),
        "create table bench_view (position bigint primary key, stream text, data bytea)");
    if (events > 0) {
      Db.execute(
          server.database(),
          "insert into holdfast.event (stream, version, event_id, type, schema_version,"
              + " content_type, data, operation_id, recorded_at)"
              + " select 'stream-' || i % 1000, i / 1000 + 1, gen_random_uuid(), 'noted', 1,"
              + " 'text/plain', convert_to(%s, 'UTF8'), 'o', clock_timestamp()"
                  .formatted(Payload.sql())
              + " from generate_series(0, %d) as i".formatted(events - 1),
          "insert into holdfast.event_tag (tag, position)"
              + " select 'thing:' || position, position from holdfast.event",
          "vacuum analyze holdfast.event",
          "vacuum analyze holdfast.event_tag");
    }
  }

  private static CopiedRow row(RecordedEvent event) {
    return new CopiedRow(event.position(), event.stream(), event.data());
  }

  private static EventData event(long number, Set<String> tags) {
    return new EventData(
        UUID.randomUUID(), "noted", 1, "text/plain", Payload.of(number), Map.of(), tags);
  }

  private static Append append(EventScenario scenario, long number) {
    String stream = "appended-" + number;
    if (scenario == EventScenario.APPEND_DCB) {
      String tag = "appended:" + number;
      return Append.to(stream, ExpectedVersion.none(), event(number, Set.of(tag)))
          .onlyIf(Condition.never(EventQuery.tags(tag)));
    }
    List<EventData> events = new ArrayList<>();
    for (int i = 0; i < scenario.batch(); i++) {
      events.add(event(number, Set.of()));
    }
    return Append.to(stream, ExpectedVersion.none(), events);
  }

  @Override
  public EventEntry enter(HikariDataSource pool, EventScenario scenario) {
    Holdfast holdfast = Holdfast.on(pool).schemaManagedElsewhere().manual().holdfast();
    EventLog log = holdfast.eventLog();
    return new EventEntry() {
      @Override
      public void append(long number) {
        log.append(HoldfastEventContender.append(scenario, number));
      }

      @Override
      public long all(long events) throws Exception {
        return scenario == EventScenario.READ ? read() : rebuild(events);
      }

      private long read() {
        EventReader reader = log.reader(0);
        long read = 0;
        EventPage page = reader.next(PAGE);
        while (!page.events().isEmpty()) {
          read += page.events().size();
          page = reader.next(PAGE);
        }
        return read;
      }

      private long rebuild(long events) throws Exception {
        Projection view =
            Projection.named("bench", 1)
                .onBatch(
                    (tx, page) ->
                        CopiedRow.copy(
                            tx.connection(),
                            page.stream().map(HoldfastEventContender::row).toList()),
                    "noted")
                .build();
        try (Projections projections =
            Projections.start(holdfast, ProjectionSettings.DEFAULT.withBatch(PAGE), view)) {
          if (!projections.awaitApplied("bench", events, LIMIT)) {
            throw new BenchmarkFailure("The view was not rebuilt within " + LIMIT);
          }
        }
        return events;
      }

      @Override
      public void close() {
        holdfast.close();
      }
    };
  }

  @Override
  public long stored(CountedServer server) {
    return Db.count(server.database(), "select count(*) from holdfast.event");
  }
}
