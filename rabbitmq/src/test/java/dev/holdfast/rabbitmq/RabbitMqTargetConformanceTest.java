package dev.holdfast.rabbitmq;

import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import dev.holdfast.crashtest.Expect;
import dev.holdfast.crashtest.Expect.Counted;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.TargetConformance;
import dev.holdfast.outbox.Target;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** RabbitMQ as a target: it claims no more than order, and what no queue gets is refused. */
@Tag("rabbitmq")
final class RabbitMqTargetConformanceTest extends TargetConformance {
  private static final String EXCHANGE = "conformance";
  private static final String TOPIC = "orders.placed";
  private static final List<GetResponse> TAKEN = new ArrayList<>();
  private static String queue = "";

  @BeforeAll
  static void declare() {
    queue = TestServers.queue("conformance");
    TestServers.onChannel(
        channel -> {
          channel.exchangeDeclare(EXCHANGE, "topic", true);
          return channel.queueBind(queue, EXCHANGE, TOPIC);
        });
  }

  @Override
  protected Target target(Resources resources) {
    String address = resources.address("rabbitmq", "127.0.0.1", TestServers.Rabbit.SERVER.port());
    ConnectionFactory factory =
        TestServers.client(Integer.parseInt(address.substring(address.indexOf(':') + 1)));
    return resources.target(
        "rabbitmq", RabbitMq.to(factory, EXCHANGE).confirmTimeout(Duration.ofSeconds(3)));
  }

  @Override
  protected String topic() {
    return TOPIC;
  }

  @Override
  protected String refusedTopic() {
    return "nobody.gets.this";
  }

  @Override
  protected Counted delivered() {
    return Expect.effects("rabbitmq", "message", RabbitMqTargetConformanceTest::ofKey);
  }

  /** Whoever looks takes them out; what was taken before counts as well. */
  private static synchronized List<String> ofKey(String key) {
    TAKEN.addAll(TestServers.drain(queue));
    return TAKEN.stream()
        .filter(
            each ->
                key.equals(
                    String.valueOf(each.getProps().getHeaders().get("cloudEvents_partitionkey"))))
        .map(TestServers::body)
        .toList();
  }
}
