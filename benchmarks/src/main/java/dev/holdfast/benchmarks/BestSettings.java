package dev.holdfast.benchmarks;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What every contender is run with, in one place: what its own documentation advises for throughput
 * and latency, and where that leaves a choice, what was found to be best on the machine that the
 * manual's figures are from. Whoever finds a better setting for a contender changes it here.
 */
final class BestSettings {
  /** Of the database, for all: logical decoding needs its log level, and no checkpoint comes in. */
  static final Map<String, String> POSTGRES =
      Map.of("wal_level", "logical", "max_wal_size", "8GB", "checkpoint_timeout", "30min");

  /**
   * Of both databases of {@code twophase}, for all: a slot for whatever a contender prepares, no
   * checkpoint comes in, and a commit means what it says.
   */
  static final Map<String, String> TWO_PHASE_POSTGRES =
      Map.of(
          "max_prepared_transactions",
          "200",
          "fsync",
          "on",
          "full_page_writes",
          "on",
          "synchronous_commit",
          "on",
          "max_wal_size",
          "8GB",
          "checkpoint_timeout",
          "30min");

  /**
   * Of the database of {@code workflow}, for all: it counts statements, no checkpoint comes in, and
   * a commit means what it says.
   */
  static final Map<String, String> WORKFLOW_POSTGRES =
      Map.of(
          "shared_preload_libraries",
          "pg_stat_statements",
          "pg_stat_statements.track_utility",
          "off",
          "fsync",
          "on",
          "full_page_writes",
          "on",
          "synchronous_commit",
          "on",
          "max_wal_size",
          "8GB",
          "checkpoint_timeout",
          "30min");

  static final int WORKFLOW_HOLDFAST_POOL = 16;

  /** Its own pool has 10. */
  static final int WORKFLOW_DBOS_POOL = 32;

  /** Nobody waits for what others send. */
  static final boolean WORKFLOW_DBOS_LISTENS = false;

  /** Events that Axon's engine reads with one query; its default is 100. */
  static final int AXON_BATCH = 5_000;

  /** Of Hibernate below Axon: what an append inserts goes to the server together. */
  static final Map<String, String> AXON_HIBERNATE =
      Map.of("hibernate.jdbc.batch_size", "100", "hibernate.order_inserts", "true");

  /** Of Holdfast in {@code twophase}: it forgets within a run, and the pool bounds lock waits. */
  static final Map<String, String> TWO_PHASE_HOLDFAST =
      Map.of("recoveryInterval", "1s", "keepDecisions", "1s", "lock_timeout of the sessions", "5s");

  /** A port that only processes ask which recover others. */
  static final boolean NARAYANA_STATUS_MANAGER = false;

  /** Writers of {@code commit}, and of {@code latency}. */
  static final int WRITERS = 16;

  static final int PACED_WRITERS = 8;

  /** Messages a second in {@code latency}. */
  static final int PACE_PER_SECOND = 500;

  /** Connections for writers and relay together; nobody waits for one. */
  static final int POOL = 96;

  /** The size of kafka-raw's transactions is that of Holdfast's largest page. */
  static final int KAFKA_RAW_TRANSACTION = 10_000;

  /** Of the hand-written poller: with 500, 2,000 and 5,000 it drained fastest so. */
  static final int SKIP_LOCKED_BATCH = 5_000;

  static final int SKIP_LOCKED_POLL_MS = 2;

  /** One flush reads as much as gruelbox's documentation calls a large batch. */
  static final int GRUELBOX_FLUSH_BATCH = 4_096;

  /** Each of its tasks is a transaction of its own, with a connection while Kafka is waited for. */
  static final int GRUELBOX_THREADS = 32;

  static final int GRUELBOX_QUEUE = 16_384;

  /** A task that the full queue refused waits for so long. */
  static final int GRUELBOX_ATTEMPT_SECONDS = 2;

  /** Messages that slow contenders get to drain, as a part of the others'. */
  static final int SLOW_DIVISOR = 40;

  private BestSettings() {}

  /** Of Holdfast in {@code workflow}; the rest is its default. */
  static Map<String, String> workflowHoldfast() {
    return Map.of(
        "pool", Integer.toString(WORKFLOW_HOLDFAST_POOL), "lock_timeout of the sessions", "5s");
  }

  /** Of DBOS; the rest is its default. */
  static Map<String, String> workflowDbos() {
    return Map.of(
        "pool",
        Integer.toString(WORKFLOW_DBOS_POOL),
        "useListenNotify",
        Boolean.toString(WORKFLOW_DBOS_LISTENS),
        "transactional step",
        "JdbcStepFactory");
  }

  /** Of Axon, for the report; the rest is its default. */
  static Map<String, String> axon() {
    Map<String, String> settings = new LinkedHashMap<>(AXON_HIBERNATE);
    settings.put("engine", "AggregateBasedJpaEventStorageEngine");
    settings.put("batchSize", Integer.toString(AXON_BATCH));
    settings.put("payload and metadata", "bytea");
    return settings;
  }

  /** Of namastack, as Spring properties. */
  static Map<String, Object> namastack() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("namastack.outbox.polling.trigger", "fixed");
    settings.put("namastack.outbox.polling.fixed.interval", "10ms");
    settings.put("namastack.outbox.polling.batch-size", 1_000);
    settings.put("namastack.outbox.processing.executor-core-pool-size", 32);
    settings.put("namastack.outbox.processing.executor-max-pool-size", 32);
    settings.put("namastack.outbox.processing.stop-on-first-failure", false);
    settings.put("namastack.outbox.processing.delete-completed-records", true);
    settings.put("namastack.outbox.processing.publish-after-save", false);
    settings.put("namastack.outbox.multicaster.enabled", false);
    return settings;
  }

  /** Of Debezium's engine and connector. */
  static Map<String, String> debezium() {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("plugin.name", "pgoutput");
    settings.put("poll.interval.ms", "5");
    settings.put("max.batch.size", "8192");
    settings.put("max.queue.size", "32768");
    settings.put("record.processing.threads", "2");
    settings.put("record.processing.order", "ORDERED");
    settings.put("offset.flush.interval.ms", "1000");
    settings.put("snapshot.mode", "no_data");
    settings.put("binary.handling.mode", "bytes");
    settings.put("tombstones.on.delete", "false");
    return settings;
  }

  /** Of Narayana, by its names, for the report; the rest is its default. */
  static Map<String, String> narayana() {
    return Map.of(
        "CoordinatorEnvironmentBean.transactionStatusManagerEnable",
        Boolean.toString(NARAYANA_STATUS_MANAGER),
        "pool",
        "Agroal");
  }

  /** Of Atomikos, as its properties. */
  static Map<String, String> atomikos() {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("com.atomikos.icatch.tm_unique_name", "bench");
    settings.put("com.atomikos.icatch.max_actives", "-1");
    settings.put("com.atomikos.icatch.checkpoint_interval", "10000");
    return settings;
  }

  /**
   * Of the producers that are given a batch and then flushed, as Holdfast's is, whose defaults are
   * the same in what counts.
   */
  static Map<String, Object> producer(String bootstrapServers) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("bootstrap.servers", bootstrapServers);
    settings.put("acks", "all");
    settings.put("enable.idempotence", true);
    settings.put("batch.size", 256 * 1024);
    settings.put("compression.type", "lz4");
    settings.put("linger.ms", 20);
    settings.put("retry.backoff.ms", 1);
    return settings;
  }

  /** Of those whose threads each wait for one record: nothing would send it before its time. */
  static Map<String, Object> oneByOneProducer(String bootstrapServers) {
    Map<String, Object> settings = producer(bootstrapServers);
    settings.put("linger.ms", 0);
    return settings;
  }

  /** Of all that read: the client's defaults, which poll 500 records at most. */
  static Map<String, Object> consumer(String bootstrapServers) {
    return Map.of("bootstrap.servers", bootstrapServers);
  }
}
