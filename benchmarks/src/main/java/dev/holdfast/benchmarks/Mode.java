package dev.holdfast.benchmarks;

/** How messages get to Kafka: what is compared with what. */
enum Mode {
  /** In Kafka transactions. */
  TRANSACTIONAL,

  /** By an idempotent producer without them. */
  PLAIN
}
