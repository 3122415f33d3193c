package dev.holdfast.inbox;

import dev.holdfast.InvalidConfiguration;
import java.time.Duration;

/**
 * How an inbox remembers.
 *
 * @param retention how long an id is remembered at least; 1 s to a year, default 7 days. Ids are
 *     forgotten in bulk, and may be remembered for twice as long
 * @param redelivery how long after it was first delivered the source may deliver a message again,
 *     replays and restarts from old offsets included; at most the retention, default 1 day
 * @param handlerSilence how long a handler may leave its transaction alone before the database ends
 *     it; 1 s to 1 h, default 1 min. Only in transactions of the inbox's own
 */
public record InboxSettings(Duration retention, Duration redelivery, Duration handlerSilence) {
  public static final InboxSettings DEFAULT =
      new InboxSettings(Duration.ofDays(7), Duration.ofDays(1), Duration.ofMinutes(1));

  public InboxSettings {
    check("retention", retention, Duration.ofSeconds(1), Duration.ofDays(365));
    check("handlerSilence", handlerSilence, Duration.ofSeconds(1), Duration.ofHours(1));
    if (redelivery.isNegative() || redelivery.compareTo(retention) > 0) {
      throw new InvalidConfiguration(
          "The source may deliver a message again for %s, and its id is remembered for %s: what comes after that would be handled twice. Nothing was started. Raise the inbox's retention, or lower the retention of the source."
              .formatted(redelivery, retention));
    }
  }

  private static void check(String name, Duration value, Duration least, Duration most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw new InvalidConfiguration(
          "The inbox's %s is %s, and must be %s to %s. Nothing was started."
              .formatted(name, value, least, most));
    }
  }

  public InboxSettings withRetention(Duration value) {
    return new InboxSettings(value, redelivery, handlerSilence);
  }

  public InboxSettings withRedelivery(Duration value) {
    return new InboxSettings(retention, value, handlerSilence);
  }

  public InboxSettings withHandlerSilence(Duration value) {
    return new InboxSettings(retention, redelivery, value);
  }
}
