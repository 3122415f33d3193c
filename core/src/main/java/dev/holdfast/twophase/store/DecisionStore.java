package dev.holdfast.twophase.store;

import dev.holdfast.Isolation;
import dev.holdfast.Message;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The database that holds the decisions. A decision is a row that is inserted in the transaction of
 * the operation's effects there, before anything is prepared elsewhere, so that its commit is the
 * decision. Thread-safe.
 */
public interface DecisionStore {

  /** The store's id and which server this is. */
  record Identity(UUID storeId, Server server) {}

  /**
   * What is written down before anything is prepared.
   *
   * @param nonce random
   * @param participants the branches that will be prepared
   * @param operationId of the operation
   * @param within how long after this the transaction may still be committed, by the database's
   *     clock; its commit fails after that
   * @param sinceBegin whether that time counts from the transaction's begin rather than from now
   */
  record Decision(
      long nonce,
      List<String> participants,
      String operationId,
      Duration within,
      boolean sinceBegin) {
    public Decision {
      participants = List.copyOf(participants);
    }
  }

  /** A decision that is committed. */
  record Decided(long serial, long nonce, String operationId) {}

  /**
   * A participant as this database knows it.
   *
   * @param server which database it was when it was registered
   * @param claim the token of the claim there, as far as this database knows
   * @param nextClaim a token that is being claimed, or was when a process died
   * @param cleaned decisions up to this serial have been forgotten for this participant
   */
  record Registration(
      String name, Server server, UUID claim, @Nullable UUID nextClaim, long cleaned) {}

  /** What a probe found out about the transaction that was to decide. */
  enum Probe {
    /** Its owner's transaction is open. */
    OPEN,
    /** It is committed. */
    COMMITTED,
    /** It is rolled back, for good: nobody can commit it any more. */
    ROLLED_BACK,
    /** There is no decision, and it may have been forgotten: it is not known. */
    FORGOTTEN
  }

  /** What is done with the answers while nobody else can get the same ones. */
  @FunctionalInterface
  interface WhileProbing {
    void accept(Map<Gid, Probe> answers);
  }

  Identity identity();

  /**
   * Whether the user may do what deciding needs.
   *
   * @throws dev.holdfast.InvalidConfiguration when not; the text says what to grant
   */
  void verify();

  /**
   * Begins on an idle connection. Waits for locks are bounded, by this or by what the session has,
   * since nobody sees a deadlock across databases.
   */
  void begin(Connection connection, Isolation isolation, Duration lockTimeout) throws SQLException;

  /**
   * Whether the transaction has written anything.
   *
   * @throws SQLException what the database said
   */
  boolean hasWritten(Connection connection) throws SQLException;

  /**
   * In a transaction of somebody else's: bounds its waits for locks from here on, unless they are.
   */
  void bound(Connection connection, Duration lockTimeout) throws SQLException;

  /** The serial that a decision of this transaction will have. */
  long serial(Connection connection) throws SQLException;

  /**
   * Writes the decision and the messages into the transaction, in one round trip. From here on the
   * transaction is flushed when it commits, whatever its settings were, and the database ends it
   * when it is left alone for longer than {@code decision.within}.
   *
   * @return the serial
   */
  long decide(Connection connection, Decision decision, List<Message> messages) throws SQLException;

  /**
   * Finds out what became of decisions by trying to write the same rows. The attempt is held while
   * the answers are used, and then undone.
   *
   * @param patience how long to wait for a transaction that has such a row open
   */
  void probe(Collection<Gid> gids, Duration patience, WhileProbing use);

  /**
   * Whether the whole operation may be run again: serialization failure, deadlock, lock timeout.
   */
  boolean isRetryable(SQLException error);

  /**
   * Every transaction with a serial below this is over, and none will begin with one, a crash
   * included: that so many have been handed out is flushed.
   */
  long over();

  /**
   * What could be forgotten.
   *
   * @param upTo everything in the digest is at most this, and so is nothing that is younger
   * @param digest of the decisions up to there
   */
  record Ripe(long upTo, Digest digest) {}

  /**
   * The first so many decisions that concern a participant, as far as all of them are old enough.
   */
  Ripe ripe(String participant, long above, long upTo, Duration age, int limit);

  /** Committed decisions that concern a participant, by serial, then nonce. */
  List<Decided> decisions(String participant, long above, long upTo, int limit);

  /** The operation that a committed decision belongs to. */
  Optional<String> operationOf(Gid gid);

  /**
   * Records what was found, and that decisions up to a serial are not needed for this participant
   * any more; those that no participant needs are deleted. Does nothing when somebody else has
   * cleaned since, since what was found then may not be so, nor when transactions up to there are
   * not over here: it was another server that said they are.
   *
   * @param from up to where it was cleaned when what was found was looked for
   * @return whether it was done
   */
  boolean clean(String participant, long from, long upTo, List<Heuristic> found);

  /** Records what was found; once however often. */
  void record(Heuristic heuristic);

  /** What was found, unacknowledged first, newest first. */
  List<Heuristic> heuristics(int limit);

  /**
   * @param note who, and what was done; 1 to 1,000 characters
   * @return whether there was such an entry that nobody had acknowledged
   */
  boolean acknowledge(Gid gid, String note);

  List<Registration> participants();

  Optional<Registration> participant(String name);

  /** Registers a participant, unless it is. */
  void register(Registration registration);

  /** Takes another database for the participant's: after a move, by an operator's order. */
  void replace(String name, Server server);

  /**
   * Writes down which token is going to be claimed, unless another is in the name of the same
   * server. One of another server is replaced: a copy that was made meanwhile knows it as well.
   *
   * @param current the token that was confirmed last
   * @param started when the server was started that is going to claim
   * @return the token to claim: the one given, or the other
   */
  UUID propose(String name, UUID current, UUID next, String started);

  /** The token has been claimed. */
  void confirm(String name, UUID claimed);
}
