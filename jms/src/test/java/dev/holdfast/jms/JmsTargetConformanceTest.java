package dev.holdfast.jms;

import dev.holdfast.crashtest.Expect;
import dev.holdfast.crashtest.Expect.Counted;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.TargetConformance;
import dev.holdfast.devservices.ArtemisServer;
import dev.holdfast.outbox.Target;
import java.util.List;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;

/** A JMS provider as a target: it claims no more than order. */
class JmsTargetConformanceTest extends TargetConformance {
  private static final String TOPIC = TestServers.unique("target");

  @Override
  protected final Target target(Resources resources) {
    String address = resources.address("jms", "127.0.0.1", TestServers.ARTEMIS.port());
    return resources.target(
        "jms",
        mode(Jms.to(new ActiveMQConnectionFactory("tcp://" + address + "?callTimeout=3000"))));
  }

  JmsTarget mode(JmsTarget target) {
    return target;
  }

  @Override
  protected final String topic() {
    return TOPIC;
  }

  @Override
  protected final String refusedTopic() {
    return ArtemisServer.NOT_CREATED + "topic";
  }

  @Override
  protected final Counted delivered() {
    return Expect.effects("jms", "message", JmsTargetConformanceTest::ofKey);
  }

  private static List<String> ofKey(String key) {
    return TestServers.browse(TOPIC).stream()
        .filter(message -> TestServers.property(message, "cloudEvents_partitionkey").equals(key))
        .map(TestServers::body)
        .toList();
  }
}
