package dev.holdfast.kafka;

/** The outbox from PostgreSQL to Kafka keeps its promises at every commit point. */
final class KafkaOutboxConformanceTest extends KafkaOutbox {}
