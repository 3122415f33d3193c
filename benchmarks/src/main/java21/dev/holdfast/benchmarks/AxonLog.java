package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.axonframework.conversion.json.JacksonConverter;
import org.axonframework.eventsourcing.eventstore.AppendCondition;
import org.axonframework.eventsourcing.eventstore.EventStorageEngine.AppendTransaction;
import org.axonframework.eventsourcing.eventstore.GenericTaggedEventMessage;
import org.axonframework.eventsourcing.eventstore.TaggedEventMessage;
import org.axonframework.eventsourcing.eventstore.jpa.AggregateBasedJpaEventStorageEngine;
import org.axonframework.eventsourcing.eventstore.jpa.SQLStateResolver;
import org.axonframework.messaging.core.LegacyResources;
import org.axonframework.messaging.core.MessageStream;
import org.axonframework.messaging.core.MessageType;
import org.axonframework.messaging.eventhandling.EventMessage;
import org.axonframework.messaging.eventhandling.GenericEventMessage;
import org.axonframework.messaging.eventhandling.conversion.DelegatingEventConverter;
import org.axonframework.messaging.eventhandling.processing.streaming.token.GapAwareTrackingToken;
import org.axonframework.messaging.eventhandling.processing.streaming.token.TrackingToken;
import org.axonframework.messaging.eventstreaming.EventCriteria;
import org.axonframework.messaging.eventstreaming.StreamingCondition;
import org.axonframework.messaging.eventstreaming.Tag;

/** Axon's engine in one run. */
final class AxonLog implements EventEntry {
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
            configuration ->
                configuration
                    .batchSize(BestSettings.AXON_BATCH)
                    .persistenceExceptionResolver(new SQLStateResolver("23505")));
  }

  @Override
  public void append(long number) {
    List<TaggedEventMessage<?>> events = new ArrayList<>();
    Tag stream = Tag.of("stream", "appended-" + number);
    for (int i = 0; i < scenario.batch(); i++) {
      EventMessage event =
          new GenericEventMessage(new MessageType("noted"), Payload.of(number), Map.of());
      events.add(new GenericTaggedEventMessage<>(event, Set.of(stream)));
    }
    // In a transaction that the engine begins and ends itself, so that it tells a conflict as one.
    commit(
        engine
            .appendEvents(
                AppendCondition.withCriteria(EventCriteria.havingTags(stream)), null, events)
            .join());
  }

  private static <R> void commit(AppendTransaction<R> append) {
    append.afterCommit(append.commit(null).join(), null).join();
  }

  @Override
  public long all(long events) throws Exception {
    TrackingToken first = engine.firstToken(null).join();
    MessageStream<EventMessage> stream =
        engine.stream(StreamingCondition.startingFrom(first), null);
    try {
      long handled = scenario == EventScenario.READ ? read(stream) : rebuild(stream);
      if (stream.error().isPresent()) {
        throw new BenchmarkFailure("Axon's stream has failed", stream.error().get());
      }
      return handled;
    } finally {
      stream.close();
    }
  }

  /** To the end that there is: whoever counts finds out whether that was all. */
  private static long read(MessageStream<EventMessage> stream) {
    long read = 0;
    while (stream.next().isPresent()) {
      read++;
    }
    return read;
  }

  /** In pages, with the token in the same commit: as a processor would that writes by COPY. */
  private long rebuild(MessageStream<EventMessage> stream) throws SQLException {
    long made = 0;
    List<CopiedRow> page = new ArrayList<>();
    Optional<MessageStream.Entry<EventMessage>> next = stream.next();
    while (next.isPresent()) {
      MessageStream.Entry<EventMessage> entry = next.get();
      GapAwareTrackingToken token =
          (GapAwareTrackingToken) TrackingToken.fromContext(entry).orElseThrow();
      page.add(
          new CopiedRow(
              token.getIndex(),
              Objects.requireNonNull(entry.getResource(LegacyResources.AGGREGATE_IDENTIFIER_KEY)),
              (byte[]) Objects.requireNonNull(entry.message().payload())));
      next = stream.next();
      if (page.size() == BestSettings.AXON_BATCH || next.isEmpty()) {
        store(page, token);
        made += page.size();
        page.clear();
      }
    }
    return made;
  }

  private void store(List<CopiedRow> page, GapAwareTrackingToken token) throws SQLException {
    try (Connection connection = pool.getConnection();
        PreparedStatement update =
            connection.prepareStatement("update bench_token set token = ?, gaps = ?")) {
      connection.setAutoCommit(false);
      CopiedRow.copy(connection, page);
      update.setLong(1, token.getIndex());
      update.setString(2, token.getGaps().toString());
      update.executeUpdate();
      connection.commit();
    }
  }

  @Override
  public void close() {
    engine.close();
    jpa.close();
  }
}
