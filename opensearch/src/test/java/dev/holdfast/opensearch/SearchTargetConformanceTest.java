package dev.holdfast.opensearch;

import dev.holdfast.crashtest.Expect.Counted;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.TargetConformance;
import dev.holdfast.outbox.Target;
import java.net.URI;

/** An index as a target, lost acknowledgments included. */
final class SearchTargetConformanceTest extends TargetConformance {
  private static final Messages MESSAGES = new Messages();

  @Override
  protected Target target(Resources resources) {
    String address = resources.address("search", "127.0.0.1", TestServers.SEARCH.port());
    return resources.target(
        "search",
        SearchTarget.to(
            MESSAGES.index(SearchEngine.at(URI.create("http://" + address))), Messages::document));
  }

  @Override
  protected String topic() {
    return Messages.TOPIC;
  }

  @Override
  protected String refusedTopic() {
    return Messages.REFUSED;
  }

  @Override
  protected Counted delivered() {
    return MESSAGES.delivered();
  }
}
