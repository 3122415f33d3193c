package dev.holdfast.internal.inbox;

import dev.holdfast.Transaction;
import dev.holdfast.inbox.Incoming;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link BrokerListener} needs of a kind of broker, and of what is done with its messages.
 * Thread-safe; a link is one thread's.
 *
 * @param <M> a message as the broker's client has it
 */
public interface Broker<M> {

  /** What is received from, for people. */
  String source();

  /**
   * @throws Exception when the broker cannot be reached, or refuses; it is tried again
   */
  Link<M> connect() throws Exception;

  /**
   * What the message is known by.
   *
   * @throws dev.holdfast.InvalidMessage when it cannot be told from others
   */
  Incoming incoming(M message) throws Exception;

  /** How messages are parked; {@code null} when they are not. */
  @Nullable Keeper<M> keeper();

  /** Handles it, in the transaction of its id. */
  void handle(Transaction tx, M message) throws SQLException;

  /** For people. */
  @Nullable String id(M message) throws Exception;

  /** How often the broker has delivered it before in vain, as far as it counts. */
  int attemptsBefore(M message) throws Exception;

  /** A connection from which messages are received. Closing it gives back what is in hand. */
  interface Link<M> extends AutoCloseable {

    /** The next message; {@code null} when none came. */
    @Nullable M receive(long atMostMillis) throws Exception;

    /** Tells the broker that it may forget the message. */
    void acknowledge(M message) throws Exception;

    /** Fails when the connection is gone, and with it what was received. */
    void check() throws Exception;

    /**
     * An attempt has failed, and nothing of it is left.
     *
     * @param attempts with this one
     * @param hopeless whether it would fail however often it is tried
     * @return what has become of the message
     */
    Fate failed(M message, int attempts, boolean hopeless, Throwable cause) throws Exception;

    @Override
    void close();
  }

  /** What becomes of a message that was not handled. */
  sealed interface Fate {

    /** It is still in hand, and tried again. */
    record Kept() implements Fate {}

    /** It is the broker's again, which delivers it when it likes. */
    record GivenBack() implements Fate {}

    /**
     * Nobody tries it again by itself.
     *
     * @param where it is now, for people
     */
    record GivenUp(String where) implements Fate {}
  }
}
