package dev.holdfast.http;

import static dev.holdfast.crashtest.Expect.effects;

import dev.holdfast.crashtest.Expect.Counted;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.TargetConformance;
import dev.holdfast.outbox.Target;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;

/** A webhook as a target, with a server that has what it took; lost acknowledgments included. */
final class WebhookTargetConformanceTest extends TargetConformance {
  private static final Endpoint ENDPOINT = endpoint();

  private static Endpoint endpoint() {
    Endpoint endpoint = new Endpoint();
    endpoint.behaviour =
        (exchange, came) -> "refused".equals(came.headers().get("ce-topic")) ? 410 : 204;
    return endpoint;
  }

  @AfterAll
  static void end() {
    ENDPOINT.close();
  }

  @Override
  protected Target target(Resources resources) {
    String address = resources.address("endpoint", "127.0.0.1", ENDPOINT.port());
    return resources.target(
        "endpoint",
        Webhook.to(URI.create("http://" + address + "/hook")).timeout(Duration.ofSeconds(2)));
  }

  @Override
  protected String topic() {
    return "orders";
  }

  @Override
  protected String refusedTopic() {
    return "refused";
  }

  @Override
  protected Counted delivered() {
    return effects("endpoint", "message", ENDPOINT::taken);
  }
}
