package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import java.io.OutputStream;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.postgresql.PGConnection;

/**
 * What one would write by hand: a table with a unique stream and version ({@code handwritten});
 * plain rows of the same bytes ({@code insert}); and the driver's own COPY out of the first ({@code
 * copy}), which nothing that reads can be faster than.
 */
final class HandwrittenEventContender implements EventContender {
  private enum Kind {
    HANDWRITTEN,
    INSERT,
    COPY
  }

  static final EventContender HANDWRITTEN = new HandwrittenEventContender(Kind.HANDWRITTEN);
  static final EventContender INSERT = new HandwrittenEventContender(Kind.INSERT);
  static final EventContender COPY = new HandwrittenEventContender(Kind.COPY);

  private static final String TABLE =
      "create table bench_event (position bigint generated always as identity primary key,"
          + " stream text not null, version bigint not null, event_id uuid not null unique,"
          + " type text not null, data bytea not null, recorded_at timestamptz not null default"
          + " clock_timestamp()%s)";

  private static final String APPEND =
      "insert into bench_event (stream, version, event_id, type, data) values (?, ?, ?, ?, ?)";

  private final Kind kind;

  private HandwrittenEventContender(Kind kind) {
    this.kind = kind;
  }

  @Override
  public String name() {
    return kind.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public boolean takesPart(EventScenario scenario) {
    return switch (kind) {
      case HANDWRITTEN, INSERT -> scenario.appends() && scenario != EventScenario.APPEND_DCB;
      case COPY -> !scenario.appends();
    };
  }

  @Override
  public String guarantee(EventScenario scenario) {
    return switch (kind) {
      case HANDWRITTEN -> "no two events of one version; readers may overlook what commits late";
      case INSERT -> "rows alone";
      case COPY -> "bytes alone, of one snapshot";
    };
  }

  @Override
  public Map<String, String> settings() {
    return Map.of();
  }

  @Override
  public void prepare(CountedServer server, long events) {
    String unique = kind == Kind.INSERT ? "" : ", unique (stream, version)";
    Db.execute(server.database(), TABLE.formatted(unique));
    if (events > 0) {
      Db.execute(
          server.database(),
          "insert into bench_event (stream, version, event_id, type, data)"
              + " select 'stream-' || i % 1000, i / 1000 + 1, gen_random_uuid(), 'noted',"
              + " convert_to(%s, 'UTF8') from generate_series(0, %d) as i"
                  .formatted(Payload.sql(), events - 1),
          "vacuum analyze bench_event");
    }
  }

  @Override
  public EventEntry enter(HikariDataSource pool, EventScenario scenario) {
    return new EventEntry() {
      @Override
      public void append(long number) throws Exception {
        try (Connection connection = pool.getConnection();
            PreparedStatement insert = connection.prepareStatement(APPEND)) {
          connection.setAutoCommit(scenario.batch() == 1);
          for (int i = 0; i < scenario.batch(); i++) {
            insert.setString(1, "stream-" + number);
            insert.setLong(2, i + 1L);
            insert.setObject(3, UUID.randomUUID());
            insert.setString(4, "noted");
            insert.setBytes(5, Payload.of(number));
            if (scenario.batch() > 1) {
              insert.addBatch();
            }
          }
          if (scenario.batch() == 1) {
            insert.executeUpdate();
          } else {
            insert.executeBatch();
            connection.commit();
          }
        }
      }

      @Override
      public long all(long events) throws Exception {
        try (Connection connection = pool.getConnection()) {
          return connection
              .unwrap(PGConnection.class)
              .getCopyAPI()
              .copyOut(
                  "copy (select * from bench_event order by position) to stdout (format binary)",
                  OutputStream.nullOutputStream());
        }
      }

      @Override
      public void close() {
        // The pool is the run's.
      }
    };
  }

  @Override
  public long stored(CountedServer server) {
    return Db.count(server.database(), "select count(*) from bench_event");
  }
}
