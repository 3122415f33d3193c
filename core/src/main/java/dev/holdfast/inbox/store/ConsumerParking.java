package dev.holdfast.inbox.store;

import dev.holdfast.inbox.store.OffsetStore.Partition;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Records that are held back: one that could not be handled, and the later ones of its key.
 * Thread-safe.
 *
 * <p>A partition of a log is one consumer's, which moves its offset in the same transaction. A
 * {@linkplain Partition#isQueue queue} is received from by several at once and has no offsets, so
 * they {@linkplain #lock lock} lanes, and what they {@linkplain #hold hold back} is numbered.
 */
public interface ConsumerParking {

  /**
   * A record that is held back.
   *
   * @param lane its key's, or its own when it has none
   * @param createdMs its timestamp, milliseconds since 1970
   * @param key of a record of a log; of a message of a queue what it is told from others by
   */
  record Parked(
      Partition partition,
      long offset,
      String lane,
      @Nullable Integer leaderEpoch,
      long createdMs,
      byte @Nullable [] key,
      byte @Nullable [] value,
      List<Header> headers) {

    /** The same under another offset. */
    public Parked at(long drawn) {
      return new Parked(partition, drawn, lane, leaderEpoch, createdMs, key, value, headers);
    }
  }

  /** A header of a record. */
  record Header(String name, byte @Nullable [] value) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Header header
          && header.name.equals(name)
          && Arrays.equals(header.value, value);
    }

    @Override
    public int hashCode() {
      return Objects.hash(name, Arrays.hashCode(value));
    }
  }

  /**
   * A lane that is held back, for people.
   *
   * @param releasing whether it is being handled again
   * @param first the offset of the first of its records; {@code null} when none is left
   */
  record Lane(
      Partition partition,
      String name,
      String reason,
      boolean releasing,
      long records,
      @Nullable Long first) {}

  /** The names of the lanes of a partition that are held back. */
  Set<String> lanes(String consumer, Partition partition);

  /** All that is held back of a consumer, oldest first. */
  List<Lane> all(String consumer, int limit);

  /** How many records of a consumer are held back; counts no further than the limit. */
  long count(String consumer, long limit);

  /**
   * Holds records back in the caller's transaction.
   *
   * @param reasons for lanes that are not held back yet
   */
  void park(
      Connection connection, String consumer, List<Parked> records, Map<String, String> reasons)
      throws SQLException;

  /**
   * Asks for a lane to be handled again, in order, by whoever reads its partition.
   *
   * @return whether there is such a lane of the topic that is read now
   */
  boolean release(String consumer, String topic, int partition, String lane, String actor);

  /**
   * Gives a record up. It is kept in the audit trail by its place, and its payload is gone. Where
   * an earlier topic of that name has one of that offset as well, it is the one of the topic that
   * is read now.
   *
   * @return whether it was held back
   */
  boolean skip(String consumer, String topic, int partition, long offset, String actor);

  /** Lanes of a partition that are to be handled again. */
  List<String> releasing(String consumer, Partition partition);

  /** The first records of a lane, in order. */
  List<Parked> first(String consumer, Partition partition, String lane, int limit);

  /** A record is handled, in the transaction that has done so. False when it was gone. */
  boolean remove(Connection connection, String consumer, Partition partition, long offset)
      throws SQLException;

  /**
   * The first record of a lane could not be handled again, and the lane stays. Changes nothing when
   * it is gone: somebody else has handled or skipped it. Waits for whoever is handling it.
   */
  void keep(String consumer, Partition partition, String lane, long offset, String reason);

  /**
   * Ends the holding back of a lane of which nothing is left, in the caller's transaction.
   *
   * @return whether nothing was left
   */
  boolean end(Connection connection, String consumer, Partition partition, String lane)
      throws SQLException;

  /** What has become of a message of a queue that was to be held back. */
  enum Held {
    /** It is, behind what was held back of its lane before. */
    NOW,
    /** It was already. */
    BEFORE,
    /** Its lane is not held back, and no reason was given. Nothing was done. */
    FREE,
    /** As many are held back as may be. Nothing was done. */
    FULL
  }

  /**
   * Locks a lane of a queue until the caller's transaction ends, which has to be READ COMMITTED and
   * lock no other. Those who handle a message of it share the lock, so that it is not held back
   * meanwhile; whoever handles what is held back is alone. Two round trips.
   *
   * @return whether the lane is held back
   */
  boolean lock(
      Connection connection, String consumer, Partition partition, String lane, boolean alone)
      throws SQLException;

  /**
   * Holds a message of a queue back, in a transaction of its own. The queue has to have been begun
   * as partition 0 of a topic. Repeated it changes nothing.
   *
   * @param message without its offset, which is drawn here, in the order of commits
   * @param reason why its lane is held back from now on; {@code null} for one that comes behind
   *     others
   * @param most how many records of the consumer may be held back
   */
  Held hold(String consumer, Parked message, @Nullable String reason, long most);

  /**
   * The first message of a lane that is being released is handled, in the transaction that does so
   * and has locked the lane. False when it is not the first any more, or nobody wants it released.
   */
  boolean take(
      Connection connection, String consumer, Partition partition, String lane, long offset)
      throws SQLException;

  /**
   * Ends the holding back of a lane of a queue of which nothing is left, in a transaction of its
   * own.
   *
   * @param known the offset of its first message, when that was handled before; it is removed
   * @return whether nothing was left
   */
  boolean settle(String consumer, Partition partition, String lane, @Nullable Long known);
}
