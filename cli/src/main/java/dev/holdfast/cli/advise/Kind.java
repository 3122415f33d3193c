package dev.holdfast.cli.advise;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import dev.holdfast.http.Webhook;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.kafka.KafkaTarget;
import dev.holdfast.mariadb.MariaDbBoundary;
import dev.holdfast.postgres.PostgresBoundary;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the usual boundaries offer, and what their acknowledgment means. Where a module of Holdfast
 * declares it, that is what counts here. A service of one's own may offer more: see {@link Offer}.
 */
enum Kind {
  POSTGRESQL(new PostgresBoundary()),
  MARIADB(new MariaDbBoundary()),
  MYSQL(
      Acknowledgment.COMMITTED,
      Offer.TRANSACTION,
      Offer.PREPARE,
      Offer.VERSION,
      Offer.LOOKUP,
      Offer.UNDO),
  ORACLE(
      Acknowledgment.COMMITTED,
      Offer.TRANSACTION,
      Offer.PREPARE,
      Offer.VERSION,
      Offer.LOOKUP,
      Offer.UNDO),
  SQLSERVER(
      Acknowledgment.COMMITTED,
      Offer.TRANSACTION,
      Offer.PREPARE,
      Offer.VERSION,
      Offer.LOOKUP,
      Offer.UNDO),
  /** A replica set, written with the concern {@code majority}. */
  MONGODB(Acknowledgment.COMMITTED, Offer.TRANSACTION, Offer.VERSION, Offer.LOOKUP, Offer.UNDO),
  KAFKA(kafka()),
  KAFKA_PLAIN(kafka().plain()),
  /** Durable queues, persistent messages, publisher confirms. */
  RABBITMQ(Acknowledgment.PERSISTED),
  /** A broker with XA and persistent messages. */
  JMS(Acknowledgment.PERSISTED, Offer.TRANSACTION, Offer.PREPARE),
  SQS(Acknowledgment.REPLICATED),
  SQS_FIFO(Acknowledgment.REPLICATED, Offer.DEDUP, Offer.ORDER),
  HTTP(Acknowledgment.PROCESSED),
  HTTP_KEY(Acknowledgment.PROCESSED, Offer.KEY),
  /** An endpoint that takes messages as they are sent, and answers when it has one. */
  WEBHOOK(Webhook.to(URI.create("https://localhost/"))),
  OPENSEARCH(Acknowledgment.PERSISTED, Offer.VERSION, Offer.LOOKUP, Offer.UNDO),
  ELASTICSEARCH(Acknowledgment.PERSISTED, Offer.VERSION, Offer.LOOKUP, Offer.UNDO),
  REDIS(Acknowledgment.ACCEPTED, Offer.VERSION, Offer.LOOKUP, Offer.UNDO),
  S3(Acknowledgment.COMMITTED, Offer.VERSION, Offer.LOOKUP, Offer.UNDO),
  EMAIL(Acknowledgment.ACCEPTED);

  /** What this version of Holdfast has for a kind. */
  enum Part {
    /** Keeps what is recorded. */
    STORE,
    /** Is delivered to. */
    TARGET,
    NONE
  }

  private final Set<Capability> capabilities;
  private final Acknowledgment acknowledgment;

  Kind(Boundary declared) {
    this.capabilities = declared.capabilities();
    this.acknowledgment = declared.acknowledgment();
  }

  Kind(Acknowledgment acknowledgment, Offer... offers) {
    Set<Capability> all = EnumSet.noneOf(Capability.class);
    Arrays.stream(offers).map(Offer::capability).forEach(all::add);
    this.capabilities = Collections.unmodifiableSet(all);
    this.acknowledgment = acknowledgment;
  }

  Set<Capability> capabilities() {
    return capabilities;
  }

  Acknowledgment acknowledgment() {
    return acknowledgment;
  }

  /** For how long a capability absorbs; empty where the kind says nothing of its own. */
  Optional<Duration> window(Capability capability) {
    if (this == HTTP_KEY && capability == Capability.IDEMPOTENCY_KEY) {
      // What payment services promise at least; it has to be looked up, and said, for each.
      return Optional.of(Duration.ofHours(24));
    }
    if (this == SQS_FIFO && capability == Capability.DEDUPLICATION) {
      return Optional.of(Duration.ofMinutes(5));
    }
    return Optional.empty();
  }

  /** What has to be so for a capability to hold; empty where it holds by itself. */
  Optional<String> condition(Capability capability) {
    return Optional.ofNullable(
        switch (this) {
          case POSTGRESQL ->
              capability == Capability.PREPARE
                  ? "max_prepared_transactions is above 0, which it is not unless set"
                  : null;
          case KAFKA ->
              capability == Capability.PROGRESS_MARK ? "consumers read read_committed" : null;
          case HTTP_KEY ->
              capability == Capability.IDEMPOTENCY_KEY
                  ? "keys are kept for 24 h; if not: http+key=TIME"
                  : null;
          case OPENSEARCH, ELASTICSEARCH ->
              capability == Capability.EXPECTED_VERSION
                  ? "deletes are kept as documents for longer than index.gc_deletes, 60 s"
                  : null;
          case MARIADB,
              MYSQL,
              ORACLE,
              SQLSERVER,
              MONGODB,
              KAFKA_PLAIN,
              RABBITMQ,
              JMS,
              SQS,
              SQS_FIFO,
              HTTP,
              WEBHOOK,
              REDIS,
              S3,
              EMAIL ->
              null;
        });
  }

  Part part() {
    return switch (this) {
      case POSTGRESQL -> Part.STORE;
      case KAFKA, KAFKA_PLAIN, RABBITMQ, JMS, WEBHOOK, OPENSEARCH -> Part.TARGET;
      case MARIADB,
          MYSQL,
          ORACLE,
          SQLSERVER,
          MONGODB,
          SQS,
          SQS_FIFO,
          HTTP,
          HTTP_KEY,
          ELASTICSEARCH,
          REDIS,
          S3,
          EMAIL ->
          Part.NONE;
    };
  }

  /** Whether this version has what fetches from it, or is called by it, and acknowledges. */
  boolean isReceivedFrom() {
    return switch (this) {
      case KAFKA, KAFKA_PLAIN, RABBITMQ, JMS, HTTP, HTTP_KEY, WEBHOOK -> true;
      case POSTGRESQL,
          MARIADB,
          MYSQL,
          ORACLE,
          SQLSERVER,
          MONGODB,
          SQS,
          SQS_FIFO,
          OPENSEARCH,
          ELASTICSEARCH,
          REDIS,
          S3,
          EMAIL ->
          false;
    };
  }

  /** Whether this version compares what it holds, and repairs it. */
  boolean isCompared() {
    return switch (this) {
      case POSTGRESQL, OPENSEARCH, KAFKA, KAFKA_PLAIN -> true;
      case MARIADB,
          MYSQL,
          ORACLE,
          SQLSERVER,
          MONGODB,
          RABBITMQ,
          JMS,
          SQS,
          SQS_FIFO,
          HTTP,
          HTTP_KEY,
          WEBHOOK,
          ELASTICSEARCH,
          REDIS,
          S3,
          EMAIL ->
          false;
    };
  }

  /** Whether this version can have it prepare what a database decides: by itself, or over XA. */
  boolean isParticipant() {
    return switch (this) {
      case POSTGRESQL, MARIADB, JMS -> true;
      case MYSQL,
          ORACLE,
          SQLSERVER,
          MONGODB,
          KAFKA,
          KAFKA_PLAIN,
          RABBITMQ,
          SQS,
          SQS_FIFO,
          HTTP,
          HTTP_KEY,
          WEBHOOK,
          OPENSEARCH,
          ELASTICSEARCH,
          REDIS,
          S3,
          EMAIL ->
          false;
    };
  }

  /** For what it declares; it is never opened. */
  private static KafkaTarget kafka() {
    return Kafka.to(Map.of("bootstrap.servers", "localhost:9092"));
  }
}
