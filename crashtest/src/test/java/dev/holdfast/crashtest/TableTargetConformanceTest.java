package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.effects;

import dev.holdfast.crashtest.Expect.Counted;
import dev.holdfast.outbox.Target;
import java.sql.SQLException;

/** The published suite, on a target that is not Kafka. */
final class TableTargetConformanceTest extends TargetConformance {
  private static final TableTarget TABLE = create();

  private static TableTarget create() {
    try {
      return TableTarget.create(LabServers.url());
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  protected Target target(Resources resources) {
    String address = resources.address("inbox", "127.0.0.1", LabServers.POSTGRES.port());
    String url = "jdbc:postgresql://" + address + "/postgres?user=postgres";
    return resources.target("inbox", TABLE.at(url));
  }

  @Override
  protected String topic() {
    return "orders";
  }

  @Override
  protected String refusedTopic() {
    return TableTarget.REFUSED_TOPIC;
  }

  @Override
  protected Counted delivered() {
    return effects("inbox", "message", TABLE::payloads);
  }
}
