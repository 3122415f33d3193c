package dev.holdfast.kafka.inbox;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.InboxSettings;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How a consumer reads.
 *
 * @param attempts how often a record is handled before it is parked; 1 to 100, default 3
 * @param handlerSilence how long a handler may leave its transaction alone before the database ends
 *     it; 1 s to 1 h, default 1 min. A paused process keeps its partitions from others for as long
 * @param maxParked how many records may be parked before partitions with more of them are stopped;
 *     1 to 1,000,000, default 10,000
 * @param startAt where a consumer begins that has never read a topic: records with this timestamp
 *     and later; {@link Instant#MIN} (the default) for all that Kafka has, {@link Instant#MAX} for
 *     what comes from now on
 * @param messageIds whether records are told apart by the id that they carry ({@code ce_id}) too,
 *     and how ids are remembered, for producers that may send one twice; {@code null} (the default)
 *     when they are not
 */
public record KafkaInboxSettings(
    int attempts,
    Duration handlerSilence,
    int maxParked,
    Instant startAt,
    @Nullable InboxSettings messageIds) {
  public static final KafkaInboxSettings DEFAULT =
      new KafkaInboxSettings(3, Duration.ofMinutes(1), 10_000, Instant.MIN, null);

  public KafkaInboxSettings {
    check("attempts", attempts, 1, 100);
    check("maxParked", maxParked, 1, 1_000_000);
    if (handlerSilence.compareTo(Duration.ofSeconds(1)) < 0
        || handlerSilence.compareTo(Duration.ofHours(1)) > 0) {
      throw new InvalidConfiguration(
          "The consumer's handlerSilence is %s, and must be 1 s to 1 h. Nothing was started."
              .formatted(handlerSilence));
    }
  }

  private static void check(String name, int value, int least, int most) {
    if (value < least || value > most) {
      throw new InvalidConfiguration(
          "The consumer's %s is %,d, and must be %,d to %,d. Nothing was started."
              .formatted(name, value, least, most));
    }
  }

  public KafkaInboxSettings withAttempts(int value) {
    return new KafkaInboxSettings(value, handlerSilence, maxParked, startAt, messageIds);
  }

  public KafkaInboxSettings withHandlerSilence(Duration value) {
    return new KafkaInboxSettings(attempts, value, maxParked, startAt, messageIds);
  }

  public KafkaInboxSettings withMaxParked(int value) {
    return new KafkaInboxSettings(attempts, handlerSilence, value, startAt, messageIds);
  }

  public KafkaInboxSettings withStartAt(Instant value) {
    return new KafkaInboxSettings(attempts, handlerSilence, maxParked, value, messageIds);
  }

  public KafkaInboxSettings withMessageIds(InboxSettings value) {
    return new KafkaInboxSettings(attempts, handlerSilence, maxParked, startAt, value);
  }
}
