package dev.holdfast.benchmarks;

import dev.holdfast.Holdfast;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.kafka.inbox.KafkaInbox;
import dev.holdfast.kafka.inbox.KafkaInboxSettings;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Holdfast's consumer with its defaults. */
final class HoldfastInboxContender implements InboxContender {
  private final boolean batch;

  /**
   * @param batch whether its handler writes what a poll brought at once
   */
  HoldfastInboxContender(boolean batch) {
    this.batch = batch;
  }

  @Override
  public String name() {
    return batch ? "holdfast-batch" : "holdfast";
  }

  @Override
  public Set<InboxScenario> scenarios() {
    return batch ? EnumSet.of(InboxScenario.OFFSETS) : EnumSet.allOf(InboxScenario.class);
  }

  @Override
  public String guarantee(InboxScenario scenario) {
    return switch (scenario) {
      case OFFSETS -> "each record once; a bad one parks with its key";
      case MESSAGE_ID -> "each record and each id once; a bad one parks with its key";
    };
  }

  @Override
  public AutoCloseable start(InboxScenario scenario, Venue venue) {
    String schema = "bench_inbox";
    Db.execute(venue.pool(), "drop schema if exists " + schema + " cascade");
    Holdfast holdfast = Holdfast.on(venue.pool()).schema(schema).start();
    KafkaInboxSettings settings = KafkaInboxSettings.DEFAULT;
    if (scenario == InboxScenario.MESSAGE_ID) {
      settings = settings.withMessageIds(InboxSettings.DEFAULT);
    }
    String consumer = "inbox-" + venue.topic();
    Map<String, ?> config = BestSettings.consumer(venue.bootstrapServers());
    List<String> topics = List.of(venue.topic());
    KafkaInbox inbox =
        batch
            ? KafkaInbox.startBatch(
                holdfast,
                consumer,
                config,
                settings,
                topics,
                (tx, messages) -> InboxContender.insertAll(tx.connection(), messages))
            : KafkaInbox.start(
                holdfast,
                consumer,
                config,
                settings,
                topics,
                (tx, message) -> InboxContender.insert(tx.connection(), message));
    return () -> {
      inbox.close();
      holdfast.close();
    };
  }
}
