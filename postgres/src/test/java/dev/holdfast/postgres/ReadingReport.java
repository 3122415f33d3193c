package dev.holdfast.postgres;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * What a reader made of a workload.
 *
 * @param lost committed and not read
 * @param phantom read and not committed
 * @param duplicate read again
 * @param inverted read after one of the same key with a later position
 * @param belated read after one of the same key that was recorded when it was committed already
 */
record ReadingReport(int lost, int phantom, int duplicate, int inverted, int belated) {
  static final ReadingReport CLEAN = new ReadingReport(0, 0, 0, 0, 0);

  /** A message as it was read, in the order of reading. */
  record Read(long position, UUID id, String key) {}

  static ReadingReport of(List<Read> readings, Map<UUID, OutboxWorkload.Sent> committed) {
    Set<UUID> seen = new HashSet<>();
    Map<String, Long> furthest = new HashMap<>();
    Map<String, Long> latestStart = new HashMap<>();
    int phantom = 0;
    int duplicate = 0;
    int inverted = 0;
    int belated = 0;
    for (Read read : readings) {
      OutboxWorkload.Sent sent = committed.get(read.id());
      if (sent == null) {
        phantom++;
      } else if (!seen.add(read.id())) {
        duplicate++;
      } else {
        if (read.position() < furthest.getOrDefault(read.key(), Long.MIN_VALUE)) {
          inverted++;
        }
        furthest.merge(read.key(), read.position(), Math::max);
        if (sent.committedBefore() < latestStart.getOrDefault(read.key(), Long.MIN_VALUE)) {
          belated++;
        }
        latestStart.merge(read.key(), sent.publishedAfter(), Math::max);
      }
    }
    return new ReadingReport(committed.size() - seen.size(), phantom, duplicate, inverted, belated);
  }
}
