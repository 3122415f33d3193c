package dev.holdfast.inbox;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.Transaction;
import dev.holdfast.TransactionOptions;
import dev.holdfast.inbox.store.InboxStore;
import dev.holdfast.inbox.store.InboxStore.Received;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Handles each message once, however often it comes, and answers each time alike. Thread-safe.
 *
 * <p>Of several that bring the same message at the same time, one handles it and the others wait
 * for its commit.
 */
public final class Inbox {
  /** How often a message is taken up again when the reply to its commit was lost. */
  private static final int ATTEMPTS = 3;

  private final Holdfast holdfast;
  private final InboxStore store;
  private final String consumer;
  private final InboxSettings settings;

  private Inbox(Holdfast holdfast, String consumer, InboxSettings settings) {
    this.holdfast = holdfast;
    this.store = holdfast.store().inbox();
    this.consumer = consumer;
    this.settings = settings;
  }

  /**
   * Makes a consumer known to the database.
   *
   * @param consumer names it, 1 to 200 characters; keep it stable: ids are remembered under it
   * @throws InvalidConfiguration when the name cannot be used
   * @throws dev.holdfast.StoreUnavailable when the database cannot be reached
   */
  public static Inbox on(Holdfast holdfast, String consumer, InboxSettings settings) {
    if (consumer.isEmpty() || consumer.length() > 200) {
      throw new InvalidConfiguration(
          "The consumer's name has %d characters, and must have 1 to 200. Nothing was started."
              .formatted(consumer.length()));
    }
    Inbox inbox = new Inbox(holdfast, consumer, settings);
    inbox.store.register(consumer, settings.retention());
    return inbox;
  }

  /**
   * Handles a message in a transaction of its own, unless it was handled before. When this returns
   * it is committed, and the source may be told so. When the reply to the commit is lost the
   * message is taken up again: either its id is there, or nothing of it is.
   *
   * @throws FingerprintMismatch when the id was used for another message
   * @throws OutcomeUnknown when the database does not answer after a lost reply; take the message
   *     up again later, which is safe
   */
  public Receipt once(Incoming message, InboxHandler handler) {
    TransactionOptions options = TransactionOptions.DEFAULT.withOperationId(operation(message));
    for (int attempt = 1; ; attempt++) {
      try {
        return holdfast.transactReturning(
            options, tx -> receive(tx, message, handler, settings.handlerSilence()));
      } catch (OutcomeUnknown e) {
        if (attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /**
   * As {@link #once(Incoming, InboxHandler)}, as a part of a transaction that has begun. When the
   * handler throws, what it did is rolled back to where it began, and its message is as new; the
   * transaction goes on.
   */
  public Receipt once(Transaction tx, Incoming message, InboxHandler handler) throws SQLException {
    Savepoint begin = tx.connection().setSavepoint();
    boolean done = false;
    try {
      Receipt receipt = receive(tx, message, handler, null);
      done = true;
      return receipt;
    } finally {
      if (done) {
        tx.connection().releaseSavepoint(begin);
      } else {
        tx.connection().rollback(begin);
      }
    }
  }

  /**
   * As {@link #once(Transaction, Incoming, InboxHandler)}, in a transaction that somebody else
   * manages. What the handler publishes is written when it returns.
   *
   * @param connection in a transaction: not in autocommit mode
   * @throws dev.holdfast.NoTransaction when it is in autocommit mode; nothing was done
   */
  public Receipt once(Connection connection, Incoming message, InboxHandler handler) {
    return holdfast.join(connection, operation(message), tx -> once(tx, message, handler));
  }

  private Receipt receive(
      Transaction tx, Incoming message, InboxHandler handler, @Nullable Duration silence)
      throws SQLException {
    Received received =
        store.receive(
            tx.connection(),
            consumer,
            message.id(),
            message.fingerprint(),
            tx.operationId(),
            silence);
    if (!received.first()) {
      return repeated(message, received);
    }
    Reply reply = handler.handle(tx);
    if (!reply.isEmpty()) {
      store.keepReply(
          tx.connection(), consumer, message.id(), received, reply.contentType(), reply.body());
    }
    return new Receipt(false, reply, tx.operationId());
  }

  private Receipt repeated(Incoming message, Received received) {
    byte[] before = received.fingerprint();
    byte[] now = message.fingerprint();
    if (before != null && now != null && !Arrays.equals(before, now)) {
      throw new FingerprintMismatch(
          "The consumer %s has handled another message under the id %s, in operation %s, so this one was not handled. Send it under an id of its own."
              .formatted(consumer, message.id(), received.operationId()));
    }
    String contentType = received.contentType();
    byte[] body = received.body();
    return new Receipt(
        true,
        contentType == null || body == null ? Reply.NONE : new Reply(contentType, body),
        Objects.requireNonNullElse(received.operationId(), ""));
  }

  private static String operation(Incoming message) {
    return Objects.requireNonNullElseGet(message.operationId(), () -> UUID.randomUUID().toString());
  }
}
