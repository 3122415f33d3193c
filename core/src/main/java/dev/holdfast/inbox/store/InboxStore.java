package dev.holdfast.inbox.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Remembers which messages were received, in the transactions that handle them. Thread-safe. */
public interface InboxStore {

  /**
   * Makes a consumer known. Ids are remembered for the longest retention of all consumers at least.
   * A consumer's retention is raised by this and never lowered: another process may rely on it.
   */
  void register(String consumer, Duration retention);

  /**
   * What is known of a message.
   *
   * @param first whether nothing was: it is received by this transaction now
   * @param place where the reply belongs; the store's own word
   * @param fingerprint what it was received with, if anything
   * @param operationId of the operation that received it
   * @param contentType of the reply; {@code null} when there is none
   * @param body of the reply; {@code null} when there is none
   */
  record Received(
      boolean first,
      int place,
      byte @Nullable [] fingerprint,
      @Nullable String operationId,
      @Nullable String contentType,
      byte @Nullable [] body) {}

  /**
   * Receives a message in the caller's transaction, or tells what came of it. Waits for another
   * transaction that is receiving it. One round trip.
   *
   * @param leftAlone how long the transaction may be left alone by its client before the database
   *     ends it; {@code null} leaves that as it is
   * @throws dev.holdfast.NoTransaction when the connection is in autocommit mode
   */
  Received receive(
      Connection connection,
      String consumer,
      String messageId,
      byte @Nullable [] fingerprint,
      String operationId,
      @Nullable Duration leftAlone)
      throws SQLException;

  /**
   * As {@link #receive}, without waiting for another transaction that has received the message by
   * this method and has not ended. For one that came by {@link #receive} it waits.
   *
   * @return empty while another transaction is receiving it, or by chance another message; nothing
   *     was changed then
   */
  Optional<Received> tryReceive(
      Connection connection,
      String consumer,
      String messageId,
      byte @Nullable [] fingerprint,
      String operationId,
      @Nullable Duration leftAlone)
      throws SQLException;

  /** Keeps the reply to a message that was received in the same transaction. One round trip. */
  void keepReply(
      Connection connection,
      String consumer,
      String messageId,
      Received received,
      String contentType,
      byte[] body)
      throws SQLException;

  /**
   * What is known of one of several messages.
   *
   * @param first whether nothing was: it is received by this transaction now
   * @param mismatch whether it was received with another fingerprint
   */
  record Known(boolean first, boolean mismatch) {}

  /**
   * Receives several messages at once, without replies, in the caller's transaction. Of two with
   * the same id the second is repeated. One round trip.
   *
   * @return what is known of each, in their order
   */
  List<Known> receiveAll(Connection connection, String consumer, List<Arrival> arrivals)
      throws SQLException;

  /** A message as it arrives. */
  record Arrival(String messageId, byte @Nullable [] fingerprint, String operationId) {}
}
