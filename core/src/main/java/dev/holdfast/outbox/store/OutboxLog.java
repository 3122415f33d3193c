package dev.holdfast.outbox.store;

/**
 * Reads the outbox in snapshot windows behind a flush fence. What a page contains is durable: no
 * crash of the database can take it back.
 */
public interface OutboxLog {

  /**
   * @param records 1 to 50,000
   * @param bytes of payload; a single larger message is returned alone
   */
  record Limit(int records, int bytes) {}

  /**
   * The next page after the cursor that some route of the channel asks for. Between windows it
   * takes a new snapshot, and everything that became visible since the last one is the next window.
   *
   * @param forceAdvance whether an empty window should end at the new snapshot even if that costs a
   *     forced write; without it the cursor advances when that is free
   */
  Page read(String channel, Cursor after, Limit limit, boolean forceAdvance);

  /** What the database says of itself now, in the era of a channel. */
  StoreIdentity identity(String channel);

  /**
   * Whether the cursor names something that this database has not reached: it comes from another
   * history.
   */
  boolean isFromTheFuture(Cursor cursor);
}
