package dev.holdfast.outbox;

import dev.holdfast.InvalidConfiguration;
import java.time.Duration;

/**
 * How relays run in this process.
 *
 * @param leaseDuration how long a leader that died is waited for; 500 ms to 10 min, default 5 s
 * @param pageRecords the most messages in one batch; 1 to 50,000, default 10,000
 * @param pageBytes the most payload bytes in one batch; 1 kB to 256 MB, default 8 MB; a single
 *     larger message goes alone
 * @param longestPoll the longest wait between two looks at an idle outbox when no hint comes; 1 ms
 *     to 10 s, default 50 ms
 * @param progressInterval how often progress is copied to the database; 50 ms to 1 min, default 1 s
 * @param longestRetry the longest wait between two attempts to reach a target; 10 ms to 10 min,
 *     default 5 s
 */
public record RelaySettings(
    Duration leaseDuration,
    int pageRecords,
    int pageBytes,
    Duration longestPoll,
    Duration progressInterval,
    Duration longestRetry) {

  public static final RelaySettings DEFAULT =
      new RelaySettings(
          Duration.ofSeconds(5),
          10_000,
          8 * 1024 * 1024,
          Duration.ofMillis(50),
          Duration.ofSeconds(1),
          Duration.ofSeconds(5));

  public RelaySettings {
    check("leaseDuration", leaseDuration, Duration.ofMillis(500), Duration.ofMinutes(10));
    check("pageRecords", pageRecords, 1, 50_000);
    check("pageBytes", pageBytes, 1024, 256 * 1024 * 1024);
    check("longestPoll", longestPoll, Duration.ofMillis(1), Duration.ofSeconds(10));
    check("progressInterval", progressInterval, Duration.ofMillis(50), Duration.ofMinutes(1));
    check("longestRetry", longestRetry, Duration.ofMillis(10), Duration.ofMinutes(10));
  }

  public RelaySettings withLeaseDuration(Duration value) {
    return new RelaySettings(
        value, pageRecords, pageBytes, longestPoll, progressInterval, longestRetry);
  }

  public RelaySettings withPage(int records, int bytes) {
    return new RelaySettings(
        leaseDuration, records, bytes, longestPoll, progressInterval, longestRetry);
  }

  public RelaySettings withLongestPoll(Duration value) {
    return new RelaySettings(
        leaseDuration, pageRecords, pageBytes, value, progressInterval, longestRetry);
  }

  public RelaySettings withProgressInterval(Duration value) {
    return new RelaySettings(
        leaseDuration, pageRecords, pageBytes, longestPoll, value, longestRetry);
  }

  public RelaySettings withLongestRetry(Duration value) {
    return new RelaySettings(
        leaseDuration, pageRecords, pageBytes, longestPoll, progressInterval, value);
  }

  private static <T extends Comparable<T>> void check(String name, T value, T least, T most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw new InvalidConfiguration(
          "%s is %s, and must be %s to %s. No relay was started."
              .formatted(name, value, least, most));
    }
  }
}
