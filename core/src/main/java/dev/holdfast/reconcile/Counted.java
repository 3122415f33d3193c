package dev.holdfast.reconcile;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A side of which is counted what comes from there. */
final class Counted implements AutoCloseable {
  private final SideSession side;
  private long rows;
  private long summaries;
  private long calls;

  Counted(SideSession side) {
    this.side = side;
  }

  Instant now() {
    return side.now();
  }

  List<Summary> summarize(List<HashRange> ranges, int parts, @Nullable Instant changedBefore) {
    List<Summary> result = side.summarize(ranges, parts, changedBefore);
    if (result.size() != ranges.size() * parts) {
      throw new IllegalStateException(
          "%d summaries of %d ranges in %d parts".formatted(result.size(), ranges.size(), parts));
    }
    calls++;
    summaries += result.size();
    return result;
  }

  List<Entry> list(List<HashRange> ranges, @Nullable Instant changedBefore, int atMost) {
    return counted(side.list(ranges, changedBefore, atMost));
  }

  List<Entry> read(List<String> keys) {
    return counted(side.read(keys));
  }

  /** Between two calls, which do not listen for it. */
  static void checkInterrupted() throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
  }

  private List<Entry> counted(List<Entry> entries) {
    calls++;
    rows += entries.size();
    return entries;
  }

  static Work work(Counted source, Counted derived) {
    return new Work(
        source.rows,
        derived.rows,
        source.summaries + derived.summaries,
        source.calls + derived.calls);
  }

  @Override
  public void close() {
    side.close();
  }
}
