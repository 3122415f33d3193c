package dev.holdfast.jms;

import dev.holdfast.InvalidConfiguration;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link JmsInbox} receives.
 *
 * @param concurrency how many messages are handled at once, each on a thread, a connection and a
 *     session of its own; 1 to 64, default 1. With more than one, order within a key needs message
 *     groups at the broker
 * @param subscription the name of the durable shared subscription, which a topic needs and a queue
 *     must not have
 * @param deadLetter where messages go that cannot be handled, or cannot be parked; {@code null},
 *     the default, leaves them to the broker's own policy
 * @param attempts how often a handler may fail before its message goes there, or is parked; 1 to
 *     1000, default 5
 * @param closingWait how long {@link JmsInbox#close} waits for what is being handled; 0 s to 1 h,
 *     default 30 s
 * @param parking how messages that cannot be handled are parked in the database; {@code null}, the
 *     default, parks none
 */
public record JmsInboxSettings(
    int concurrency,
    @Nullable String subscription,
    @Nullable JmsDestination deadLetter,
    int attempts,
    Duration closingWait,
    @Nullable JmsParking parking) {
  public static final JmsInboxSettings DEFAULT =
      new JmsInboxSettings(1, null, null, 5, Duration.ofSeconds(30), null);

  public JmsInboxSettings {
    check("concurrency", concurrency, 64);
    check("attempts", attempts, 1000);
    if (closingWait.isNegative() || closingWait.compareTo(Duration.ofHours(1)) > 0) {
      throw new InvalidConfiguration(
          "The closingWait of a JMS inbox is %s, and must be 0 s to 1 h. Nothing was started."
              .formatted(closingWait));
    }
  }

  private static void check(String name, int value, int most) {
    if (value < 1 || value > most) {
      throw new InvalidConfiguration(
          "The %s of a JMS inbox is %d, and must be 1 to %d. Nothing was started."
              .formatted(name, value, most));
    }
  }

  public JmsInboxSettings withConcurrency(int value) {
    return new JmsInboxSettings(value, subscription, deadLetter, attempts, closingWait, parking);
  }

  public JmsInboxSettings withSubscription(String value) {
    return new JmsInboxSettings(concurrency, value, deadLetter, attempts, closingWait, parking);
  }

  /**
   * @param failures how often its handler may fail before a message goes there
   */
  public JmsInboxSettings withDeadLetter(JmsDestination value, int failures) {
    return new JmsInboxSettings(concurrency, subscription, value, failures, closingWait, parking);
  }

  public JmsInboxSettings withClosingWait(Duration value) {
    return new JmsInboxSettings(concurrency, subscription, deadLetter, attempts, value, parking);
  }

  /**
   * Parks what cannot be handled in the database, with the later ones of its key, instead of moving
   * it to the dead letters. A message that cannot be parked either (its body is a Java object or a
   * stream, or it is too large) goes to these all the same.
   *
   * <p>The attempts are made one after the other, with growing pauses of 10 s at most, while the
   * message stays in hand: given back it might come behind a later one of its key.
   *
   * @param failures how often its handler may fail before a message is parked
   */
  public JmsInboxSettings withParking(JmsParking value, int failures) {
    return new JmsInboxSettings(
        concurrency, subscription, deadLetter, failures, closingWait, value);
  }
}
