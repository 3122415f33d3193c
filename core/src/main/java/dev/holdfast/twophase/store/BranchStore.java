package dev.holdfast.twophase.store;

import dev.holdfast.Isolation;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.outbox.store.Attempt;
import dev.holdfast.outbox.store.SchemaManager;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A database that takes part in operations that are decided elsewhere: it prepares, keeps what it
 * has prepared over any crash, and remembers by a witness, written in the branch itself, that a
 * branch was committed. Thread-safe.
 *
 * <p>Connections are handed in; one that threw is not used again but closed.
 */
public interface BranchStore {

  /** For people and without credentials, such as {@code postgresql 127.0.0.1:5432/ledger}. */
  String description();

  /** What it can do as a boundary. */
  Boundary boundary();

  /** The tables of the participant: witnesses, claims, attempts. */
  SchemaManager schema();

  /**
   * Whether it can take part at all: that it may prepare, how many at once, privileges.
   *
   * @throws dev.holdfast.InvalidConfiguration when it cannot; the text says what to set
   */
  void verify();

  Server server();

  /** How many branches can be prepared at once, those of others included. */
  int slots();

  Connection connect() throws SQLException;

  /**
   * Whether a branch has to be named when it begins. Costs a round trip to the decision database.
   */
  boolean namesAtBegin();

  /**
   * Whether a branch can only be ended by the connection that prepared it as long as that is open.
   */
  boolean endsWhereItWasPrepared();

  /**
   * Begins a branch on an idle connection. Waits for locks are bounded, by this or by what the
   * session has.
   *
   * @param gid its name when it {@linkplain #namesAtBegin has to have one now}
   */
  void begin(Connection connection, @Nullable Gid gid, Isolation isolation, Duration lockTimeout)
      throws SQLException;

  /** Whether the branch has written anything; true when that cannot be told. */
  boolean hasWritten(Connection connection) throws SQLException;

  /**
   * Writes the witness and prepares, in one round trip where that can be done. The connection is
   * idle afterwards. When this throws it is open whether the branch is prepared.
   *
   * @param claim the token of the claim: when the participant knows another nothing is prepared
   * @throws StaleClaim when it does, or has been told to {@link #refuse} the serial
   */
  void prepare(Connection connection, Gid gid, String operationId, UUID claim) throws SQLException;

  /** Undoes what is not prepared; the connection is idle afterwards. */
  void rollback(Connection connection, @Nullable Gid gid) throws SQLException;

  /**
   * Commits a branch whose operation has changed nothing anywhere else, in one round trip, with the
   * attempt's row.
   */
  void commitAlone(Connection connection, @Nullable Gid gid, Attempt attempt, String operationId)
      throws SQLException;

  /** What became of {@link #commitAlone}. */
  Outcome resolve(Attempt attempt);

  /**
   * Commits a prepared branch, durably.
   *
   * @param connection idle; where it {@linkplain #endsWhereItWasPrepared matters}, the one that
   *     prepared it, or any when that is closed
   */
  Finish commitPrepared(Connection connection, Gid gid) throws SQLException;

  /**
   * Commits several prepared branches in one round trip, each durably and by itself.
   *
   * @param connection idle
   * @return false when it is not known of all of them that this committed them: the database
   *     cannot, or one was not prepared any more; then each has to be {@linkplain #commitPrepared
   *     committed alone}, which tells
   */
  default boolean commitTogether(Connection connection, List<Gid> gids) throws SQLException {
    return false;
  }

  /** As {@link #commitPrepared}, the other way. */
  Finish rollbackPrepared(Connection connection, Gid gid) throws SQLException;

  /**
   * The branches of a store that are prepared here, oldest first where that can be told.
   *
   * @param withLocks whether the locks that they hold are to be counted, which is not cheap
   */
  List<PreparedBranch> prepared(UUID storeId, String participant, boolean withLocks);

  /** Those of these branches that have been committed here, and flushed. */
  Set<Gid> witnessed(Collection<Gid> gids);

  /** A witness: the branch was committed. */
  record Witness(long serial, long nonce, @Nullable String operationId) {}

  /** Of the witnesses in a range; they are flushed. */
  Digest digest(UUID storeId, String participant, long above, long upTo);

  /** Witnesses by serial, then nonce. */
  List<Witness> witnesses(UUID storeId, String participant, long above, long upTo, int limit);

  /**
   * Deletes the witnesses up to a serial, and remembers, in the same commit or before, that it did.
   */
  void forget(UUID storeId, String participant, long upTo);

  /**
   * Up to which serial witnesses have been deleted; 0 when none have. A deciding database that was
   * failed over or restored may believe that it is less.
   */
  long forgotten(UUID storeId, String participant);

  /**
   * Lets nothing be prepared any more whose serial is at most this, as long as the claim stays: the
   * transactions that would have decided are over. What is being prepared at this moment, or reads
   * by an older snapshot, may be missed.
   *
   * @param claim the token of the claim
   * @return false when the participant knows another, and nothing is changed
   */
  boolean refuse(UUID storeId, String participant, UUID claim, long upTo);

  Optional<Claim> claim(UUID storeId, String participant);

  /**
   * Compares and sets the claim.
   *
   * @param expected the token there; {@code null} when there must be none
   * @param next what is to be there
   * @return whether it was as expected, and is set
   */
  boolean claim(UUID storeId, String participant, @Nullable UUID expected, Claim next);

  /**
   * Whether the whole operation may be run again: serialization failure, deadlock, lock timeout.
   */
  boolean isRetryable(SQLException error);

  /** Whether the error leaves open whether what was sent has been done. */
  boolean isReplyLost(SQLException error);

  /** Turns an error into the exception a caller can act on. */
  RuntimeException translate(String doing, SQLException error);

  /** What an operator types to commit or roll back a branch. */
  String statement(Gid gid, boolean commit);
}
