package dev.holdfast.eventlog;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Which part of a stream is read, and in which direction. Immutable.
 *
 * @param stream its name
 * @param from the lowest version; 1 is the first
 * @param to the highest version; {@code null} for none
 * @param asOf events recorded later are left out; {@code null} for none
 * @param backwards from the highest version down
 * @param limit how many events at most, 1 to 100,000
 */
public record StreamQuery(
    String stream,
    long from,
    @Nullable Long to,
    @Nullable Instant asOf,
    boolean backwards,
    int limit) {
  private static final int MOST = 100_000;

  /**
   * @throws InvalidEvent when the limit is out of its bounds
   */
  public StreamQuery {
    if (limit < 1 || limit > MOST) {
      throw new InvalidEvent(
          "The limit for reading the stream %s is %d, and must be 1 to %d. Nothing was read."
              .formatted(stream, limit, MOST));
    }
  }

  /** All of a stream, forwards; the first 10,000 events of it. */
  public static StreamQuery of(String stream) {
    return new StreamQuery(stream, 1, null, null, false, 10_000);
  }

  public StreamQuery from(long version) {
    return new StreamQuery(stream, version, to, asOf, backwards, limit);
  }

  /** As the stream was when it was at this version. */
  public StreamQuery asOfVersion(long version) {
    return new StreamQuery(stream, from, version, asOf, backwards, limit);
  }

  /** As the stream was at this time, by the database's clock. */
  public StreamQuery asOfTime(Instant time) {
    return new StreamQuery(stream, from, to, time, backwards, limit);
  }

  /** The last event first. */
  public StreamQuery latestFirst() {
    return new StreamQuery(stream, from, to, asOf, true, limit);
  }

  public StreamQuery limit(int value) {
    return new StreamQuery(stream, from, to, asOf, backwards, value);
  }
}
