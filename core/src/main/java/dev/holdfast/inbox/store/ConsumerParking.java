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
 * Records that are held back: one that could not be handled, and the later ones of its key. Held by
 * the consumer that moves the partition's offset in the same transaction. Thread-safe.
 */
public interface ConsumerParking {

  /**
   * A record that is held back.
   *
   * @param lane its key's, or its own when it has none
   * @param createdMs its timestamp, milliseconds since 1970
   */
  record Parked(
      Partition partition,
      long offset,
      String lane,
      @Nullable Integer leaderEpoch,
      long createdMs,
      byte @Nullable [] key,
      byte @Nullable [] value,
      List<Header> headers) {}

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
   */
  record Lane(Partition partition, String name, String reason, boolean releasing, long records) {}

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

  /** A record could not be handled again, and its lane stays. */
  void keep(String consumer, Partition partition, String lane, String reason);

  /**
   * Ends the holding back of a lane of which nothing is left, in the caller's transaction.
   *
   * @return whether nothing was left
   */
  boolean end(Connection connection, String consumer, Partition partition, String lane)
      throws SQLException;
}
