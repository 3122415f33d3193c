package dev.holdfast.rabbitmq;

import dev.holdfast.InvalidConfiguration;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link RabbitMqInbox} receives. There is no default for what becomes of a message that
 * cannot be handled, since each of the answers loses something to somebody: begin with {@link
 * #deadLetteringTo} or {@link #rejecting}.
 *
 * @param concurrency how many messages are handled at once, each on a thread, a connection and a
 *     channel of its own; 1 to 64, 1 unless set
 * @param prefetch how many messages the broker sends ahead on each of them; 1 to 1000, 10 unless
 *     set
 * @param attempts how often a handler may fail before its message is given up; 1 to 1000, 5 unless
 *     set. They are made one after the other, with growing pauses of 10 s at most, while the
 *     messages behind it wait
 * @param deadLetter where a message is published that is given up; {@code null} to reject it
 * @param closingWait how long {@link RabbitMqInbox#close} waits for what is being handled; 0 s to 1
 *     h, 30 s unless set
 * @param parking how messages that are given up are parked in the database; {@code null} to park
 *     none
 */
public record RabbitMqInboxSettings(
    int concurrency,
    int prefetch,
    int attempts,
    @Nullable RabbitMqRoute deadLetter,
    Duration closingWait,
    @Nullable RabbitMqParking parking) {

  public RabbitMqInboxSettings {
    check("concurrency", concurrency, 64);
    check("prefetch", prefetch, 1000);
    check("attempts", attempts, 1000);
    if (closingWait.isNegative() || closingWait.compareTo(Duration.ofHours(1)) > 0) {
      throw new InvalidConfiguration(
          "The closingWait of a RabbitMQ inbox is %s, and must be 0 s to 1 h. Nothing was started."
              .formatted(closingWait));
    }
  }

  private static void check(String name, int value, int most) {
    if (value < 1 || value > most) {
      throw new InvalidConfiguration(
          "The %s of a RabbitMQ inbox is %d, and must be 1 to %d. Nothing was started."
              .formatted(name, value, most));
    }
  }

  /**
   * What is given up is published there, mandatory and confirmed, and acknowledged after that: it
   * is in one of the two places at any time, and after a crash in between in both. As long as no
   * queue gets it there, it stays where it is.
   */
  public static RabbitMqInboxSettings deadLetteringTo(RabbitMqRoute route) {
    return new RabbitMqInboxSettings(1, 10, 5, route, Duration.ofSeconds(30), null);
  }

  /**
   * What is given up is rejected without being requeued. <b>RabbitMQ drops it then, unless the
   * queue has a dead-letter exchange</b>, by its arguments or by a policy; a client cannot ask
   * which.
   */
  public static RabbitMqInboxSettings rejecting() {
    return new RabbitMqInboxSettings(1, 10, 5, null, Duration.ofSeconds(30), null);
  }

  public RabbitMqInboxSettings withConcurrency(int value) {
    return new RabbitMqInboxSettings(value, prefetch, attempts, deadLetter, closingWait, parking);
  }

  public RabbitMqInboxSettings withPrefetch(int value) {
    return new RabbitMqInboxSettings(
        concurrency, value, attempts, deadLetter, closingWait, parking);
  }

  public RabbitMqInboxSettings withAttempts(int value) {
    return new RabbitMqInboxSettings(
        concurrency, prefetch, value, deadLetter, closingWait, parking);
  }

  public RabbitMqInboxSettings withClosingWait(Duration value) {
    return new RabbitMqInboxSettings(concurrency, prefetch, attempts, deadLetter, value, parking);
  }

  /**
   * Parks what is given up in the database, with the later ones of its key, before it is
   * acknowledged. A message that cannot be parked, since it is too large or its key cannot be told,
   * goes where these settings send it.
   */
  public RabbitMqInboxSettings withParking(RabbitMqParking value) {
    return new RabbitMqInboxSettings(
        concurrency, prefetch, attempts, deadLetter, closingWait, value);
  }
}
