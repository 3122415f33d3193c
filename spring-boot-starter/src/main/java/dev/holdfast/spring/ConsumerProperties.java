package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.kafka.inbox.KafkaInboxSettings;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * A consumer that {@link HoldfastListener} methods belong to.
 *
 * @param attempts how often a record is handled before it is parked with the later ones of its key
 * @param handlerSilence how long a method may leave its transaction alone before the database ends
 *     it
 * @param maxParked how many records may be parked before partitions with more of them are stopped
 * @param startAt where a consumer begins that has never read a topic: earliest, latest, or a time
 *     such as 2026-01-31T00:00:00Z
 * @param messageIds when set, records are told apart by the id that they carry, too
 * @param concurrency how many threads of this process read, each in transactions of its own; of
 *     more than there are partitions some are idle
 * @param properties settings of the Kafka consumer that differ from those of spring.kafka
 */
public record ConsumerProperties(
    @DefaultValue("3") int attempts,
    @DefaultValue("1m") Duration handlerSilence,
    @DefaultValue("10000") int maxParked,
    @DefaultValue("earliest") String startAt,
    @Nullable MessageIdsProperties messageIds,
    @DefaultValue("1") int concurrency,
    @DefaultValue Map<String, String> properties) {

  private static final int MOST_THREADS = 100;

  /**
   * How the ids of records (ce_id) are remembered.
   *
   * @param enabled whether they are; as soon as one of these is set, unless this is false
   * @param retention how long an id is remembered at least
   * @param redelivery how long after the first time the producer may send a record again
   */
  public record MessageIdsProperties(
      @DefaultValue("true") boolean enabled,
      @DefaultValue("7d") Duration retention,
      @DefaultValue("1d") Duration redelivery) {}

  /** Those of a consumer that no property speaks of. */
  static final ConsumerProperties DEFAULT =
      new ConsumerProperties(3, Duration.ofMinutes(1), 10_000, "earliest", null, 1, Map.of());

  /** Without the client's properties, among which may be passwords. */
  @Override
  public String toString() {
    return "settings of a consumer";
  }

  boolean remembersIds() {
    return messageIds != null && messageIds.enabled();
  }

  int threads(String consumer) {
    if (concurrency < 1 || concurrency > MOST_THREADS) {
      throw new InvalidConfiguration(
          "holdfast.consumers.%s.concurrency is %d, and must be 1 to %d. Nothing was started."
              .formatted(consumer, concurrency, MOST_THREADS));
    }
    return concurrency;
  }

  KafkaInboxSettings settings(String consumer) {
    MessageIdsProperties ids = messageIds;
    return new KafkaInboxSettings(
        attempts,
        handlerSilence,
        maxParked,
        start(consumer),
        ids == null || !ids.enabled()
            ? null
            : new InboxSettings(ids.retention(), ids.redelivery(), handlerSilence));
  }

  private Instant start(String consumer) {
    return switch (startAt) {
      case "earliest" -> Instant.MIN;
      case "latest" -> Instant.MAX;
      default -> {
        try {
          yield Instant.parse(startAt);
        } catch (DateTimeParseException e) {
          throw new InvalidConfiguration(
              "holdfast.consumers.%s.start-at is %s, and must be earliest, latest, or a time such as 2026-01-31T00:00:00Z. Nothing was started."
                  .formatted(consumer, startAt),
              e);
        }
      }
    };
  }
}
