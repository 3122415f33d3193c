package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.axonframework.conversion.json.JacksonConverter;
import org.axonframework.eventsourcing.eventstore.AppendCondition;
import org.axonframework.eventsourcing.eventstore.EventStorageEngine.AppendTransaction;
import org.axonframework.eventsourcing.eventstore.GenericTaggedEventMessage;
import org.axonframework.eventsourcing.eventstore.TaggedEventMessage;
import org.axonframework.eventsourcing.eventstore.jpa.AggregateBasedJpaEventStorageEngine;
import org.axonframework.messaging.core.MessageStream;
import org.axonframework.messaging.core.MessageType;
import org.axonframework.messaging.core.unitofwork.transaction.Transaction;
import org.axonframework.messaging.eventhandling.EventMessage;
import org.axonframework.messaging.eventhandling.GenericEventMessage;
import org.axonframework.messaging.eventhandling.conversion.DelegatingEventConverter;
import org.axonframework.messaging.eventstreaming.StreamingCondition;
import org.axonframework.messaging.eventstreaming.Tag;

/** Axon's engine in one run. */
final class AxonLog implements EventEntry {
  static final int BATCH = 5_000;

  private final HikariDataSource pool;
  private final EventScenario scenario;
  private final Jpa jpa;
  private final AggregateBasedJpaEventStorageEngine engine;

  AxonLog(HikariDataSource pool, EventScenario scenario) {
    this.pool = pool;
    this.scenario = scenario;
    this.jpa = Jpa.open(pool, false);
    this.engine =
        new AggregateBasedJpaEventStorageEngine(
            jpa,
            jpa,
            new DelegatingEventConverter(new JacksonConverter()),
            configuration -> configuration.batchSize(BATCH));
  }

  @Override
  public void append(long number) throws Exception {
    List<TaggedEventMessage<?>> events = new ArrayList<>();
    Set<Tag> tags = Set.of(Tag.of("stream", "appended-" + number));
    for (int i = 0; i < scenario.batch(); i++) {
      EventMessage event =
          new GenericEventMessage(new MessageType("noted"), Payload.of(number), Map.of());
      events.add(new GenericTaggedEventMessage<>(event, tags));
    }
    Transaction transaction = jpa.startTransaction();
    boolean done = false;
    try {
      commit(engine.appendEvents(AppendCondition.none(), null, events).get());
      done = true;
    } finally {
      if (done) {
        transaction.commit();
      } else {
        transaction.rollback();
      }
    }
  }

  private static <R> void commit(AppendTransaction<R> append) throws Exception {
    append.commit(null).get();
  }

  @Override
  public long all(long events) throws Exception {
    if (scenario == EventScenario.READ) {
      long[] read = {0};
      stream(events, event -> read[0]++);
      return read[0];
    }
    return rebuild(events);
  }

  /** In pages, with the place in the same commit: as a processor would that writes by COPY. */
  private long rebuild(long events) throws Exception {
    List<byte[]> page = new ArrayList<>();
    long[] written = {0};
    stream(
        events,
        event -> {
          page.add((byte[]) event.payload());
          if (page.size() == BATCH || written[0] + page.size() == events) {
            write(page, written[0]);
            written[0] += page.size();
            page.clear();
          }
        });
    return written[0];
  }

  private void write(List<byte[]> page, long before) {
    List<CopiedRow> rows = new ArrayList<>();
    for (int i = 0; i < page.size(); i++) {
      rows.add(new CopiedRow(before + i + 1, "stream-" + (before + i) % 1000, page.get(i)));
    }
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(false);
      CopiedRow.copy(connection, rows);
      try (var update = connection.prepareStatement("update bench_token set token = ?")) {
        update.setLong(1, before + page.size());
        update.executeUpdate();
      }
      connection.commit();
    } catch (SQLException e) {
      throw new BenchmarkFailure("Rows could not be written", e);
    }
  }

  private void stream(long events, Consumer<EventMessage> each) throws Exception {
    var first = engine.firstToken(null).get();
    MessageStream<EventMessage> stream =
        engine.stream(StreamingCondition.startingFrom(first), null);
    Semaphore more = new Semaphore(0);
    stream.setCallback(more::release);
    long read = 0;
    try {
      while (read < events) {
        var next = stream.next();
        if (next.isPresent()) {
          each.accept(next.get().message());
          read++;
        } else if (stream.error().isPresent()) {
          throw new BenchmarkFailure("Axon's stream has failed", stream.error().get());
        } else {
          more.tryAcquire(10, TimeUnit.MILLISECONDS);
        }
      }
    } finally {
      stream.close();
    }
  }

  @Override
  public void close() {
    engine.close();
    jpa.close();
  }
}
