package dev.holdfast.eventlog;

import dev.holdfast.HoldfastException;

/**
 * A reader's checkpoint lies behind the end of the log: the database has lost commits, by a
 * failover or a restore, or is another one. Nothing was read.
 */
public final class CheckpointAhead extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public CheckpointAhead(long checkpoint, long last) {
    super(
        "The reader has come to position %d, and the log to %d: the database has lost commits, or is another one than the checkpoint is of. Nothing was read, since other events get the positions that were read. Find out what was lost, and begin anew from a position before that."
            .formatted(checkpoint, last));
  }
}
