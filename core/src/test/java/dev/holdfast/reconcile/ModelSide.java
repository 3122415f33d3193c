package dev.holdfast.reconcile;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A side that is a list; the plainest there is. */
final class ModelSide implements Side {
  private final Versions versions;
  private final boolean knowsChanges;
  private final Supplier<List<Entry>> entries;
  private final Supplier<Instant> clock;

  ModelSide(
      Versions versions,
      boolean knowsChanges,
      Supplier<Instant> clock,
      Supplier<List<Entry>> entries) {
    this.versions = versions;
    this.knowsChanges = knowsChanges;
    this.clock = clock;
    this.entries = entries;
  }

  static ModelSide of(List<Entry> entries) {
    return new ModelSide(Versions.NUMBERS, false, () -> Instant.EPOCH, () -> entries);
  }

  /** The same, where something happens before each look at it. */
  ModelSide before(Consumer<List<Entry>> event) {
    return new ModelSide(
        versions,
        knowsChanges,
        clock,
        () -> {
          event.accept(entries.get());
          return entries.get();
        });
  }

  @Override
  public String description() {
    return "model";
  }

  @Override
  public Versions versions() {
    return versions;
  }

  @Override
  public boolean knowsChanges() {
    return knowsChanges;
  }

  @Override
  public SideSession open() {
    return new SideSession() {
      @Override
      public Instant now() {
        return clock.get();
      }

      private EntryIndex index() {
        EntryIndex index = new EntryIndex();
        new ArrayList<>(entries.get()).forEach(index::add);
        return index;
      }

      @Override
      public List<Summary> summarize(
          List<HashRange> ranges, int parts, @Nullable Instant changedBefore) {
        return index().summarize(ranges, parts, changedBefore);
      }

      @Override
      public List<Entry> list(List<HashRange> ranges, @Nullable Instant changedBefore, int atMost) {
        return index().list(ranges, changedBefore, atMost);
      }

      @Override
      public List<Entry> read(List<String> keys) {
        return index().read(keys);
      }

      @Override
      public void close() {}
    };
  }
}
