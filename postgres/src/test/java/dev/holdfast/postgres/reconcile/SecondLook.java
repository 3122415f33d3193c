package dev.holdfast.postgres.reconcile;

import dev.holdfast.reconcile.Entry;
import dev.holdfast.reconcile.HashRange;
import dev.holdfast.reconcile.Side;
import dev.holdfast.reconcile.SideSession;
import dev.holdfast.reconcile.Summary;
import dev.holdfast.reconcile.Versions;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A side to which something happens before it is looked at again. */
record SecondLook(Side side, Runnable event) implements Side {
  @Override
  public String description() {
    return side.description();
  }

  @Override
  public Versions versions() {
    return side.versions();
  }

  @Override
  public boolean knowsChanges() {
    return side.knowsChanges();
  }

  @Override
  public SideSession open() {
    SideSession session = side.open();
    return new SideSession() {
      private boolean happened;

      @Override
      public Instant now() {
        return session.now();
      }

      @Override
      public List<Summary> summarize(
          List<HashRange> ranges, int parts, @Nullable Instant changedBefore) {
        return session.summarize(ranges, parts, changedBefore);
      }

      @Override
      public List<Entry> list(List<HashRange> ranges, @Nullable Instant changedBefore, int atMost) {
        return session.list(ranges, changedBefore, atMost);
      }

      @Override
      public List<Entry> read(List<String> keys) {
        if (!happened) {
          happened = true;
          event.run();
        }
        return session.read(keys);
      }

      @Override
      public void close() {
        session.close();
      }
    };
  }
}
