package dev.holdfast.kafka;

/** Kafka as a target, without transactions: it claims no more than order. */
final class PlainKafkaTargetConformanceTest extends KafkaTargetConformanceTest {
  @Override
  KafkaTarget mode(KafkaTarget target) {
    return target.plain();
  }
}
