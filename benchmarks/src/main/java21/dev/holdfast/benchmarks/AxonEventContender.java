package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import java.util.Map;
import org.axonframework.eventsourcing.eventstore.jpa.AggregateEventEntry;

/** Axon Framework 5 on the storage engine that it has for relational databases, over Hibernate. */
public final class AxonEventContender implements EventContender {
  static final String TABLE = "AggregateEventEntry";

  @Override
  public String name() {
    return "axon";
  }

  /** Its engine for relational databases knows no conditions by tags. */
  @Override
  public boolean takesPart(EventScenario scenario) {
    return scenario != EventScenario.APPEND_DCB;
  }

  @Override
  public String guarantee(EventScenario scenario) {
    return switch (scenario) {
      case READ -> "looks again for gaps; overlooks what commits over 60 s late";
      case REBUILD -> "rows and token in one commit, by a loop of ours; overlooks as read does";
      default -> "no two of one aggregate's sequence number; an id once; a repeat is an error";
    };
  }

  @Override
  public Map<String, String> settings() {
    return BestSettings.axon();
  }

  @Override
  public void prepare(CountedServer server, long events) throws Exception {
    try (HikariDataSource pool = Db.pool(server.url(), 2)) {
      Jpa.open(pool, true).close();
    }
    Db.execute(
        server.database(),
        "create table bench_view (position bigint primary key, stream text, data bytea)",
        "create table bench_token (token bigint not null, gaps text not null)",
        "insert into bench_token values (0, '')");
    if (events > 0) {
      Db.execute(
          server.database(),
          "insert into "
              + TABLE
              + " (globalIndex, aggregateType, aggregateIdentifier, aggregateSequenceNumber, type,"
              + " version, timestamp, payload, metadata, identifier)"
              + " select i + 1, 'stream', 'stream-' || i % 1000, i / 1000, 'noted', '0.0.1',"
              + " '2026-01-01T00:00:00Z', convert_to(%s, 'UTF8'), '\\x7b7d', gen_random_uuid()::text"
                  .formatted(Payload.sql())
              + " from generate_series(0, %d) as i".formatted(events - 1),
          // The only one, whatever Hibernate has named it.
          "select setval(c.oid::regclass, %d) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S' and n.nspname = 'public'"
              .formatted(events + 1),
          "vacuum analyze " + TABLE);
    }
  }

  @Override
  public EventEntry enter(HikariDataSource pool, EventScenario scenario) {
    return new AxonLog(pool, scenario);
  }

  @Override
  public long stored(CountedServer server) {
    return Db.count(server.database(), "select count(*) from " + TABLE);
  }

  static Class<?> entity() {
    return AggregateEventEntry.class;
  }
}
