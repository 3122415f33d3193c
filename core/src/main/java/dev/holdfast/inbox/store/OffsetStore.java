package dev.holdfast.inbox.store;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Where consumers of a partitioned log have got to, kept beside the effects of what they read.
 * Thread-safe.
 */
public interface OffsetStore {

  /**
   * A partition of one topic of that name: a topic that is deleted and made again has another id.
   * Or a queue, which has no offsets, and of which nothing but what is held back is kept.
   */
  record Partition(String topic, UUID topicId, int number) {
    /** Ids that are made of names; those of topics are random. */
    private static final int NAMED = 3;

    /**
     * @param kind of broker, so that queues of the same name at two of them are told apart
     */
    public static Partition ofQueue(String kind, String name) {
      byte[] whole = ("holdfast " + kind + ' ' + name).getBytes(StandardCharsets.UTF_8);
      return new Partition(name, UUID.nameUUIDFromBytes(whole), 0);
    }

    public boolean isQueue() {
      return topicId.version() == NAMED;
    }

    @Override
    public String toString() {
      return isQueue() ? "queue " + topic : topic + "-" + number;
    }
  }

  /**
   * Where a consumer is in a partition.
   *
   * @param partition of the topic whose offsets these are
   * @param next the offset of the first record that is not handled
   * @param leaderEpoch of the record before it; {@code null} when that is not known
   * @param stopped why it is not read any further; {@code null} while it is
   */
  record Position(
      Partition partition, long next, @Nullable Integer leaderEpoch, @Nullable String stopped) {}

  /** A step on; {@code from} is where the caller believes the consumer to be. */
  record Move(Partition partition, long from, long to, @Nullable Integer leaderEpoch) {}

  /** Makes a consumer known. */
  void register(String consumer);

  /** Why the consumer is paused; empty while it is not. */
  Optional<String> pausedBecause(String consumer);

  /** Pauses the consumer wherever it runs, or lets it go on. A pause of itself changes nothing. */
  void pause(String consumer, @Nullable String reason);

  /** The names of all consumers. */
  List<String> consumers();

  /** All positions of a consumer, by topic and partition. */
  List<Position> positions(String consumer);

  /**
   * Begins to read a topic, unless that has begun. Partitions that are new since then begin at 0.
   *
   * @param starts for each partition of the topic where to begin when none of it is known
   */
  void begin(String consumer, String topic, UUID topicId, Map<Integer, Long> starts);

  /**
   * Moves a consumer on, in the caller's transaction and as its first statement. False when it is
   * not where the caller believes, or reads another topic of that name, or is stopped: the caller
   * has to roll back then. Waits for another transaction that is moving it. One round trip.
   *
   * @param leftAlone how long the transaction may be left alone by its client before the database
   *     ends it
   */
  boolean move(Connection connection, String consumer, List<Move> moves, Duration leftAlone)
      throws SQLException;

  /**
   * Reads a partition no further, until somebody {@linkplain #seek sets} where to go on. False when
   * the consumer is not where the caller believes, and nothing was changed: somebody may just have
   * set it.
   *
   * @param position that makes no sense, or behind which what comes next cannot be handled
   */
  boolean stop(String consumer, Position position, String reason);

  /**
   * Sets where a consumer goes on in partitions of a topic, and takes this topic's id for its own.
   * Records that are parked stay parked.
   *
   * @throws dev.holdfast.InvalidConfiguration when the consumer has never read the topic, or it is
   *     a queue
   */
  void seek(String consumer, String topic, UUID topicId, Map<Integer, Long> offsets);
}
