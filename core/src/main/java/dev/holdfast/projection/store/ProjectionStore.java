package dev.holdfast.projection.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** How far projections have come, and what is parked. Thread-safe. */
public interface ProjectionStore {

  /** A projection in one of its versions, which have checkpoints of their own. */
  record Version(String name, int version) {
    @Override
    public String toString() {
      return name + "/" + version;
    }
  }

  /**
   * Where a slot is.
   *
   * @param checkpoint the position up to which all of its events are applied or parked
   * @param generation raised by whoever changes what is parked in it
   */
  record Slot(long checkpoint, long generation) {}

  /**
   * Makes a version known; the first one of a name is live.
   *
   * @param slots how many it has, now and for ever
   * @return the version that is live
   * @throws dev.holdfast.InvalidConfiguration when it is known with another number of slots
   */
  int register(Version version, int slots);

  /**
   * As {@link #register(Version, int)}, in the caller's transaction.
   *
   * @return whether it is live from now on, as the first one of its name
   */
  boolean register(Connection connection, Version version, int slots) throws SQLException;

  /** The version that is live; 0 when none of the name is known. */
  int live(String name);

  Slot slot(Version version, int slot);

  /**
   * Moves a slot's checkpoint in the caller's transaction.
   *
   * @return false when the slot is somewhere else, or of another generation
   */
  boolean advance(Connection connection, Version version, int slot, Slot from, long to)
      throws SQLException;

  /** The keys that are parked in a slot. */
  Set<String> parkedKeys(Version version, int slot);

  /** Parks a key in the caller's transaction. */
  void park(
      Connection connection, Version version, int slot, String key, long position, String reason)
      throws SQLException;

  /**
   * A key that is parked.
   *
   * @param position of its first event that is not applied
   * @param isReleased whether somebody has asked for its being sent
   */
  record Parked(
      String key, int slot, long position, String reason, Instant since, boolean isReleased) {}

  /** The oldest first. */
  List<Parked> parked(Version version, int limit);

  /**
   * Locks a slot until the caller's transaction ends, and raises its generation.
   *
   * @return where it is then
   */
  Slot lock(Connection connection, Version version, int slot) throws SQLException;

  /**
   * Takes a key out of what is parked, in the caller's transaction, which has locked its slot.
   *
   * @return the position at which it was; 0 when it was not parked
   */
  long unpark(Connection connection, Version version, String key) throws SQLException;

  /**
   * Asks whoever is at the key's slot to apply, or to send, what is parked of a key.
   *
   * @return false when it is not parked
   */
  boolean release(Version version, String key);

  /**
   * As {@link #release}, for all keys that are parked.
   *
   * @return how many they are
   */
  int releaseAll(Version version);

  /** The keys of a slot whose replay is asked for, the oldest first; 100 at most. */
  List<String> released(Version version, int slot);

  /** A replay that was asked for has failed, and is asked for no longer. */
  void refuse(Version version, String key, String reason);

  /** All versions of all projections, and the channels of events, by name; 1,000 at most. */
  List<ProjectionStatus> statuses();

  /** One of them; empty when it is not known. */
  Optional<ProjectionStatus> status(Version version);

  /** The least checkpoint of a version's slots, or of one of them; 0 when it is not known. */
  long applied(Version version);

  /** See {@link #applied(Version)}. */
  long applied(Version version, int slot);

  /**
   * Makes a version the live one in the caller's transaction, if it has come as far as the one that
   * is live now, has parked no key that that has not, and is a later one. Until the transaction
   * ends, the former one does not move.
   *
   * @return whether it is now, and was not before
   */
  boolean switchTo(Connection connection, Version version) throws SQLException;
}
