package dev.holdfast.kafka;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Capability;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.TargetUnavailable;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;

/**
 * A Kafka cluster as the target of a channel.
 *
 * <p>By default a batch and the channel's progress are one Kafka transaction: consumers that read
 * {@code read_committed} see every message once and in the order of its key, whatever crashes, as
 * long as Kafka keeps what it acknowledged. With {@link #plain()} messages are sent by an
 * idempotent producer without transactions: lower latency, in order, at least once, to be told
 * apart by their id. Immutable and thread-safe.
 */
public final class KafkaTarget implements Target {
  private static final List<Assumption> ALWAYS =
      List.of(
          new Assumption(
              "kafka.keeps-what-it-acknowledged",
              null,
              "Kafka keeps what it has acknowledged: two replicas at least have it, do not lose it all at once, and none that lacks it becomes leader.",
              Set.of("kafka.replication")),
          new Assumption(
              "kafka.partitions-stay",
              Capability.ORDER_PER_KEY,
              "The number of a topic's partitions stays as it is while messages of a key are read in order.",
              Set.of()));

  private static final List<Assumption> TRANSACTIONS =
      List.of(
          new Assumption(
              "kafka.keeps-the-progress",
              Capability.PROGRESS_MARK,
              "The progress topic is compacted, and replicated like the messages.",
              Set.of("kafka.progress-topic", "kafka.progress-replication")),
          new Assumption(
              "kafka.remembers-relays",
              Capability.PROGRESS_MARK,
              "The cluster remembers a relay's transactional id for longer than a relay is paused.",
              Set.of("kafka.transactional-id-expiry")),
          new Assumption(
              "kafka.read-committed",
              Capability.PROGRESS_MARK,
              "Consumers read with isolation.level=read_committed.",
              Set.of()));

  private final Settings settings;

  KafkaTarget(Settings settings) {
    this.settings = settings;
  }

  Settings settings() {
    return settings;
  }

  /** Without transactions: at least once, with progress kept in the database alone. */
  public KafkaTarget plain() {
    return new KafkaTarget(
        new Settings(settings.user(), true, settings.progressTopic(), settings.source()));
  }

  /**
   * The compacted topic that holds progress records; {@code holdfast-progress} when not set. It is
   * created when it is missing and the user may.
   */
  public KafkaTarget progressTopic(String name) {
    return new KafkaTarget(
        new Settings(settings.user(), settings.plain(), name, settings.source()));
  }

  /** The CloudEvents {@code source} of every message; {@code /holdfast/CHANNEL} when not set. */
  public KafkaTarget source(String uri) {
    return new KafkaTarget(
        new Settings(settings.user(), settings.plain(), settings.progressTopic(), uri));
  }

  @Override
  public String description() {
    return "kafka " + settings.bootstrapServers();
  }

  @Override
  public String kind() {
    return settings.plain() ? "kafka (plain)" : "kafka";
  }

  @Override
  public Set<Capability> capabilities() {
    return settings.plain()
        ? Set.of(Capability.ORDER_PER_KEY)
        : Set.of(Capability.ORDER_PER_KEY, Capability.PROGRESS_MARK);
  }

  @Override
  public Acknowledgment acknowledgment() {
    return Acknowledgment.REPLICATED;
  }

  @Override
  public List<Assumption> assumptions() {
    return Stream.of(ALWAYS, settings.plain() ? List.<Assumption>of() : TRANSACTIONS)
        .flatMap(List::stream)
        .toList();
  }

  @Override
  public TargetSession open(Context context) {
    Encoder encoder = new Encoder(settings, context.channel());
    try {
      return settings.plain()
          ? new PlainSession(settings, encoder)
          : TransactionalSession.open(settings, context, encoder);
    } catch (KafkaException e) {
      throw unavailable(settings, "open", context.channel(), e);
    }
  }

  static TargetUnavailable unavailable(
      Settings settings, String doing, String channel, KafkaException e) {
    return new TargetUnavailable(
        "Kafka at %s could not be reached to %s channel %s (%s). Nothing was delivered; messages wait and it is tried again."
            .formatted(settings.bootstrapServers(), doing, channel, e.getMessage()),
        e);
  }
}
