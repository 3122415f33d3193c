package dev.holdfast.benchmarks;

import dev.holdfast.internal.Doorbell;
import io.debezium.embedded.Connect;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.RecordChangeEvent;
import io.debezium.engine.format.ChangeEventFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.connect.source.SourceRecord;
import org.jspecify.annotations.Nullable;

/**
 * A run of Debezium. The engine is started once before anything is recorded, and stopped after a
 * probe has come through: a slot and an offset exist then, as they do in production, and a backlog
 * is what came while it was down.
 */
final class DebeziumEntry implements Entry {
  private static final String SLOT = "bench_debezium";
  private static final String TABLE = "debezium_outbox";
  private static final String PROBE = "probe";
  private static final int PER_COMMIT = 10_000;
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private static final String INSERT =
      "insert into debezium_outbox (id, aggregatetype, aggregateid, type, payload) values (gen_random_uuid(), 'bench', ?, 'bench', ?)";

  private final Venue venue;
  private final Sender sender;
  private final Path offsets;
  private final AtomicBoolean probeSeen = new AtomicBoolean();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private boolean filled;
  private volatile @Nullable DebeziumEngine<RecordChangeEvent<SourceRecord>> engine;
  private @Nullable Background thread;

  DebeziumEntry(Venue venue) {
    this.venue = venue;
    this.sender = new Sender(venue);
    dropAll();
    Db.execute(
        venue.pool(),
        """
        create table debezium_outbox (id uuid primary key, aggregatetype text not null,
          aggregateid text not null, type text not null, payload bytea)
        """,
        "create publication " + SLOT + " for table " + TABLE);
    try {
      this.offsets = Files.createTempFile("holdfast-bench-debezium-", ".offsets");
    } catch (IOException e) {
      throw new BenchmarkFailure("There is no room for Debezium's offsets", e);
    }
    startEngine();
    awaitProbe();
    stopEngine();
  }

  private void dropAll() {
    awaitSlotFree();
    Db.execute(
        venue.pool(),
        "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '%s'"
            .formatted(SLOT),
        "drop publication if exists " + SLOT,
        "drop table if exists " + TABLE);
  }

  /** A server process can outlive its client for a moment, and keeps the slot then. */
  private void awaitSlotFree() {
    await(
        () ->
            Db.count(
                    venue.pool(),
                    "select count(pg_terminate_backend(active_pid)) from pg_replication_slots where active_pid is not null and slot_name = '%s'"
                        .formatted(SLOT))
                == 0,
        "The replication slot of Debezium is still in use after ");
  }

  private Properties properties() {
    Properties properties = new Properties();
    properties.putAll(BestSettings.debezium());
    properties.put("name", SLOT);
    properties.put("connector.class", "io.debezium.connector.postgresql.PostgresConnector");
    properties.put("offset.storage", "org.apache.kafka.connect.storage.FileOffsetBackingStore");
    properties.put("offset.storage.file.filename", offsets.toString());
    properties.put("topic.prefix", "bench");
    properties.put("database.hostname", "127.0.0.1");
    properties.put("database.port", Integer.toString(venue.postgres().port()));
    properties.put("database.user", "postgres");
    properties.put("database.password", "unused");
    properties.put("database.dbname", "postgres");
    properties.put("database.sslmode", "disable");
    properties.put("slot.name", SLOT);
    properties.put("publication.name", SLOT);
    properties.put("publication.autocreate.mode", "disabled");
    properties.put("table.include.list", "public." + TABLE);
    properties.put("transforms", "outbox");
    properties.put("transforms.outbox.type", "io.debezium.transforms.outbox.EventRouter");
    properties.put("transforms.outbox.route.topic.replacement", "${routedByValue}");
    return properties;
  }

  private void startEngine() {
    probeSeen.set(false);
    failure.set(null);
    DebeziumEngine<RecordChangeEvent<SourceRecord>> started =
        DebeziumEngine.create(ChangeEventFormat.of(Connect.class))
            .using(properties())
            .notifying(this::handle)
            .using(
                (success, message, error) -> {
                  // One that is being stopped fails of being stopped.
                  if (!success && engine != null) {
                    failure.set(error == null ? new IllegalStateException(message) : error);
                  }
                })
            .build();
    engine = started;
    thread = Background.start("debezium", running -> started.run());
  }

  /** Probes until one comes through: an early one may have been recorded before the slot was. */
  private void awaitProbe() {
    await(
        () -> {
          requireRunning();
          Db.execute(
              venue.pool(),
              "insert into debezium_outbox (id, aggregatetype, aggregateid, type) values (gen_random_uuid(), '%s', '', '')"
                  .formatted(PROBE));
          return probeSeen.get();
        },
        "Debezium has not delivered a probe in ");
  }

  private void requireRunning() {
    Throwable failed = failure.get();
    if (failed != null) {
      throw new BenchmarkFailure("Debezium's engine stopped", failed);
    }
  }

  private static void await(BooleanSupplier condition, String otherwise) {
    long since = Doorbell.nanos();
    Doorbell wait = new Doorbell();
    while (!condition.getAsBoolean()) {
      if (Doorbell.hasPassed(LIMIT, since)) {
        throw new BenchmarkFailure(otherwise + LIMIT);
      }
      try {
        wait.await(Duration.ofMillis(100));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new BenchmarkFailure("Interrupted while waiting for Debezium", e);
      }
    }
  }

  private void handle(
      List<RecordChangeEvent<SourceRecord>> events,
      DebeziumEngine.RecordCommitter<RecordChangeEvent<SourceRecord>> committer)
      throws InterruptedException {
    List<Future<RecordMetadata>> sent = new ArrayList<>(events.size());
    for (RecordChangeEvent<SourceRecord> event : events) {
      SourceRecord record = event.record();
      if (record.topic().equals(PROBE)) {
        probeSeen.set(true);
      } else if (record.value() != null) {
        sent.add(sender.send(String.valueOf(record.key()), bytes(record.value())));
      }
    }
    sender.producer().flush();
    sent.forEach(Sender::await);
    for (RecordChangeEvent<SourceRecord> event : events) {
      committer.markProcessed(event);
    }
    committer.markBatchFinished();
    sender.delivered(sent.size());
  }

  private static byte[] bytes(Object value) {
    if (value instanceof byte[] array) {
      return array;
    }
    ByteBuffer buffer = ((ByteBuffer) value).duplicate();
    byte[] array = new byte[buffer.remaining()];
    buffer.get(array);
    return array;
  }

  private void stopEngine() {
    DebeziumEngine<?> running = engine;
    if (running == null) {
      return;
    }
    engine = null;
    try {
      running.close();
    } catch (IOException e) {
      throw new BenchmarkFailure("Debezium's engine could not be stopped", e);
    }
    if (thread != null) {
      thread.close();
    }
    awaitSlotFree();
  }

  @Override
  public void fill(int messages) {
    filled = true;
    // A larger transaction would be decoded by way of the disk.
    for (int done = 0; done < messages; done += PER_COMMIT) {
      Db.execute(
          venue.pool(),
          "insert into debezium_outbox select gen_random_uuid(), 'bench', 'key-' || i %% %d, 'bench', convert_to(%s, 'LATIN1') from generate_series(%d, %d) i"
              .formatted(
                  Payload.KEYS, Payload.sql(), done, Math.min(done + PER_COMMIT, messages) - 1));
    }
  }

  @Override
  public void start(boolean relay) {
    if (relay) {
      startEngine();
      if (!filled) {
        awaitProbe();
      }
    }
  }

  @Override
  public void commit(long number) {
    Db.transact(
        venue.pool(),
        connection -> {
          Db.insertOrder(connection, number);
          try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
            insert.setString(1, Payload.key(number));
            insert.setBytes(2, Payload.of(number));
            insert.executeUpdate();
          }
        });
  }

  @Override
  public long delivered() {
    requireRunning();
    return sender.delivered();
  }

  @Override
  public void close() {
    stopEngine();
    sender.close();
    dropAll();
    try {
      Files.deleteIfExists(offsets);
    } catch (IOException e) {
      throw new BenchmarkFailure("Debezium's offsets could not be deleted", e);
    }
  }
}
