package dev.holdfast.twophase.store;

/**
 * A running database as far as it can tell itself from a copy of itself.
 *
 * @param system the cluster's own identifier: a physical copy has the same, a restored dump another
 * @param database which of the cluster's databases
 * @param timeline changes when a standby is promoted or a backup is recovered; 0 where there is no
 *     such thing
 * @param place address and port as the server sees them, for people
 * @param started when the server was started, by its own clock, as exactly as it says
 */
public record Server(String system, String database, long timeline, String place, String started) {

  /** Whether both are the same database, in one history or in two. */
  public boolean isSameDatabase(Server other) {
    return system.equals(other.system) && database.equals(other.database);
  }

  /**
   * Whether both are certainly one server, not a server and its copy: it runs on since then. One
   * that was started again cannot be told from a copy that was: addresses are private, and the same
   * in many places.
   */
  public boolean isSameServer(Server other) {
    return isSameDatabase(other) && timeline == other.timeline && started.equals(other.started);
  }
}
