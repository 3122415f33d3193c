package dev.holdfast.eventlog.store;

import dev.holdfast.eventlog.CheckpointAhead;

/** How far a reader has come. Not thread-safe. */
public final class Reading {
  private Settling settling;
  private final long known;
  private long checkpoint;

  /** Up to here everything is read; a settled position, flushed, and perhaps that of no event. */
  private long readUpTo;

  public Reading(long checkpoint) {
    this(checkpoint, checkpoint);
  }

  /**
   * Of one who reads again what a reader has read before, and so waits for nobody up to there.
   *
   * @param known the checkpoint of that reader, at or behind this one's
   */
  public Reading(long checkpoint, long known) {
    this.checkpoint = checkpoint;
    this.known = known;
    this.readUpTo = checkpoint;
    this.settling = new Settling(known);
  }

  /** The position of the last event that was read, or where the reader has begun. */
  public long checkpoint() {
    return checkpoint;
  }

  /** Read behind this. */
  public long after() {
    return readUpTo;
  }

  /** Read up to this. */
  public long settled() {
    return settling.settled();
  }

  /** Whether everything that is settled is read, so that a mark is to be taken. */
  public boolean isEven() {
    return readUpTo >= settling.settled();
  }

  public boolean isWaiting() {
    return settling.isWaiting();
  }

  /**
   * See {@link Settling#look}.
   *
   * @throws CheckpointAhead when the log has not come as far as this
   */
  public boolean look(Mark mark) {
    if (mark.last() < settling.settled()) {
      throw new CheckpointAhead(settling.settled(), mark.last());
    }
    return settling.look(mark);
  }

  /**
   * Goes on behind a page.
   *
   * @param last the position of its last event
   */
  public void read(long last) {
    checkpoint = last;
    readUpTo = last;
  }

  /** Something went wrong: what was looked at, and perhaps not flushed, is not believed. */
  public void forget() {
    settling = new Settling(Math.max(checkpoint, known));
    readUpTo = checkpoint;
  }

  /** Goes on behind what is settled, of which no more is there. */
  public void readAll() {
    readUpTo = settling.settled();
  }
}
