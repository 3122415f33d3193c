package dev.holdfast.kafka;

import dev.holdfast.crashtest.Expect;
import dev.holdfast.crashtest.Expect.Counted;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.TargetConformance;
import dev.holdfast.crashtest.resource.KafkaBroker;
import dev.holdfast.outbox.Target;
import java.util.Map;

/** Kafka as a target, with transactions. */
class KafkaTargetConformanceTest extends TargetConformance {
  private static final String TOPIC = TestServers.unique("target");
  private static final KafkaBroker BROKER = KafkaBroker.of(TestServers.KAFKA);

  static {
    TestServers.KAFKA.createTopic(TOPIC, 2);
  }

  @Override
  protected final Target target(Resources resources) {
    return resources.target(
        "kafka",
        BROKER,
        mode(Kafka.to(Map.of("bootstrap.servers", resources.bootstrapServers("kafka", BROKER)))));
  }

  KafkaTarget mode(KafkaTarget target) {
    return target;
  }

  @Override
  protected final String topic() {
    return TOPIC;
  }

  @Override
  protected final String refusedTopic() {
    return TOPIC + "-missing";
  }

  @Override
  protected final Counted delivered() {
    return Expect.record(TOPIC).byKey();
  }
}
