package dev.holdfast.outbox;

import dev.holdfast.outbox.store.ChannelStore;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.StoreIdentity;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Where a new leader goes on. A target's progress is exact, but only in the history of the database
 * that wrote it: after a failover with loss, a restore or a clone it may name the future or another
 * history. Then the database's copy wins, which repeats messages rather than losing them, or the
 * channel stops and asks.
 */
sealed interface Anchor {

  /** From the progress that the target committed with its last batch: nothing is repeated. */
  record FromTarget(Cursor cursor) implements Anchor {}

  /**
   * From the database's copy.
   *
   * @param warning what may be repeated and why; {@code null} when there is nothing to say
   */
  record FromDatabase(Cursor cursor, @Nullable String warning) implements Anchor {}

  /** Not at all. */
  record Stop(String reason) implements Anchor {}

  /**
   * @param identity what the database says of itself
   * @param epoch the leader's own epoch, raised already
   * @param copy the database's copy of the progress
   * @param seen the target's progress record, if it has one
   * @param future whether a cursor names something the database has not reached
   */
  static Anchor decide(
      StoreIdentity identity,
      long epoch,
      ChannelStore.Progress copy,
      @Nullable ProgressRecord seen,
      Predicate<Cursor> future) {
    if (seen == null) {
      return fromDatabase(
          identity,
          copy,
          future,
          copy.record() == null || copy.era() < identity.era()
              ? null
              : "The target has lost its progress record. Going on from the database's copy;"
                  + " what was delivered in the last moments before is delivered again.");
    }
    StoreIdentity theirs = seen.identity();
    if (!theirs.storeId().equals(identity.storeId())) {
      return new Stop(
          "The target holds progress of another store (%s; this one is %s). Nothing was delivered. Point the channel at a target of its own."
              .formatted(theirs.storeId(), identity.storeId()));
    }
    if (theirs.era() < identity.era()) {
      return fromDatabase(identity, copy, future, null);
    }
    if (theirs.era() > identity.era() || seen.claim() >= epoch) {
      return new Stop(
          "Another database with this store's identity has used this target since (era %d, claim %d there; era %d, claim %d here): this one is a clone, or was restored. Nothing was delivered. If this database is the one to go on, run: holdfast outbox reanchor."
              .formatted(theirs.era(), seen.claim(), identity.era(), epoch));
    }
    if (!theirs.system().equals(identity.system())) {
      return new Stop(
          "This database was restored from a dump or cloned: the target's progress was written by a cluster with another system identifier. Nothing was delivered. If this database is the one to go on, run: holdfast outbox reanchor --from-beginning.");
    }
    if (theirs.timeline() > identity.timeline()) {
      return new Stop(
          "The target has progress from timeline %d, and this server is on timeline %d: a promoted standby has taken over from it. Nothing was delivered. Shut this server down, or, if it is the one to go on, run: holdfast outbox reanchor."
              .formatted(theirs.timeline(), identity.timeline()));
    }
    if (theirs.timeline() < identity.timeline()) {
      return fromDatabase(
          identity,
          copy,
          future,
          "The database was promoted or restored (timeline %d, before %d), and may have lost its last commits. Going on from its own copy of the progress; what was delivered in the last moments before is delivered again."
              .formatted(identity.timeline(), theirs.timeline()));
    }
    if (seen.copies() > copy.copies() || future.test(seen.cursor())) {
      return new Stop(
          "The target's progress is ahead of this database, which is a clone, or has lost commits (a restored snapshot, or fsync is off). Nothing was delivered. If it is the one to go on, run: holdfast outbox reanchor. It goes on from its own copy of the progress, and delivers some messages again.");
    }
    return new FromTarget(seen.cursor());
  }

  private static Anchor fromDatabase(
      StoreIdentity identity,
      ChannelStore.Progress copy,
      Predicate<Cursor> future,
      @Nullable String warning) {
    if (!copy.system().equals(identity.system()) || future.test(copy.cursor())) {
      return new Stop(
          "The database's own progress names transactions that it has not reached: it was restored from a dump. Nothing was delivered. Run: holdfast outbox reanchor --from-beginning.");
    }
    return new FromDatabase(copy.cursor(), warning);
  }
}
