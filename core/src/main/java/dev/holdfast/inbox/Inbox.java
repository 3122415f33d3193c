package dev.holdfast.inbox;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.Transaction;
import dev.holdfast.TransactionOptions;
import dev.holdfast.inbox.store.InboxStore;
import dev.holdfast.inbox.store.InboxStore.Received;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
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

  /** Fails, after which the database commits nothing of the transaction any more. */
  private static final String DOOM =
      "do $$ begin raise exception 'a handler failed, and could not be rolled back alone'; end $$";

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

  /** The name under which ids are remembered. */
  public String consumer() {
    return consumer;
  }

  /** On which it was made. */
  public Holdfast holdfast() {
    return holdfast;
  }

  /**
   * Handles a message in a transaction of its own, unless it was handled before. When this returns
   * it is committed, and the source may be told so. When the reply to the commit is lost the
   * message is taken up again: either its id is there, or nothing of it is.
   *
   * @throws FingerprintMismatch when the id was used for another message
   * @throws OutcomeUnknown when the reply to the commit was lost and the database does not answer
   *     since; take the message up again later, which is safe
   */
  public Receipt once(Incoming message, InboxHandler handler) {
    return inItsOwn(
        message,
        handler,
        (tx, watched) -> receive(tx, message, watched, settings.handlerSilence()));
  }

  /**
   * As {@link #once(Incoming, InboxHandler)}, for a source that can be told to come again: while
   * another call of this method handles the message, in this process or another, the answer is
   * empty, at once, and no connection waits. A call of {@code once} is waited for; use one of the
   * two for a consumer.
   *
   * <p>Two ids may be taken for one another while both are being handled (their hashes of 64 bits
   * are equal then); one of them has to come again. Nothing else follows from it.
   *
   * @return empty when the message is being handled, and nothing is known of what will come of it
   * @throws FingerprintMismatch as {@code once}
   * @throws OutcomeUnknown as {@code once}
   */
  public Optional<Receipt> tryOnce(Incoming message, InboxHandler handler) {
    return inItsOwn(message, handler, (tx, watched) -> tryReceive(tx, message, watched));
  }

  /** What is done in a transaction of its own, with a handler whose failures are watched. */
  @FunctionalInterface
  private interface OwnWork<T> {
    T run(Transaction tx, InboxHandler watched) throws SQLException;
  }

  private <T> T inItsOwn(Incoming message, InboxHandler handler, OwnWork<T> work) {
    TransactionOptions options = TransactionOptions.DEFAULT.withOperationId(operation(message));
    // One that the handler throws is another transaction's, even under our operation's id: taking
    // the message up again would repeat blindly what is unknown there.
    AtomicReference<@Nullable OutcomeUnknown> ofTheHandler = new AtomicReference<>();
    InboxHandler watched =
        tx -> {
          try {
            return handler.handle(tx);
          } catch (OutcomeUnknown e) {
            ofTheHandler.set(e);
            throw e;
          }
        };
    OutcomeUnknown unknown = null;
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
      try {
        return holdfast.transactReturning(options, tx -> work.run(tx, watched));
      } catch (OutcomeUnknown e) {
        if (e == ofTheHandler.get()) {
          throw e;
        }
        unknown = unknown == null ? e : unknown;
      } catch (StoreUnavailable e) {
        if (unknown == null) {
          throw e;
        }
        unknown.addSuppressed(e);
        throw unknown;
      }
    }
    throw Objects.requireNonNull(unknown);
  }

  /**
   * As {@link #once(Incoming, InboxHandler)}, as a part of a transaction that has begun. When the
   * handler throws, what it did is rolled back to where it began, and its message is as new; the
   * transaction goes on. A connection that refuses to roll back to a savepoint, as Agroal's do in
   * JTA, has its whole transaction ended instead: it can only be rolled back then.
   */
  public Receipt once(Transaction tx, Incoming message, InboxHandler handler) throws SQLException {
    return within(tx.connection(), () -> receive(tx, message, handler, null));
  }

  /**
   * As {@link #once(Transaction, Incoming, InboxHandler)}, in a transaction that somebody else
   * manages. What the handler publishes is written when it returns. A serialization failure or a
   * deadlock ends that transaction, and whoever manages it has to run it again.
   *
   * @param connection in a transaction: not in autocommit mode
   * @throws dev.holdfast.NoTransaction when it is in autocommit mode; nothing was done
   */
  public Receipt once(Connection connection, Incoming message, InboxHandler handler) {
    String operationId = operation(message);
    // The inner one writes what is published, which the savepoint has to cover as well.
    return holdfast.join(
        connection,
        operationId,
        outer ->
            within(
                connection,
                () ->
                    holdfast.join(
                        connection, operationId, tx -> receive(tx, message, handler, null))));
  }

  /** What is done between two savepoints. */
  @FunctionalInterface
  private interface Step {
    Receipt run() throws SQLException;
  }

  private static Receipt within(Connection connection, Step step) throws SQLException {
    Savepoint begin = connection.setSavepoint();
    Receipt receipt;
    try {
      receipt = step.run();
    } catch (SQLException | RuntimeException | Error e) {
      rollBack(connection, begin, e);
      throw e;
    }
    connection.releaseSavepoint(begin);
    return receipt;
  }

  private static void rollBack(Connection connection, Savepoint begin, Throwable cause) {
    try {
      connection.rollback(begin);
    } catch (SQLException e) {
      cause.addSuppressed(e);
      // Half of the handler's effects must not be committed with what its message is remembered by.
      try (Statement statement = connection.createStatement()) {
        statement.execute(DOOM);
      } catch (SQLException doomed) {
        cause.addSuppressed(doomed);
      }
    }
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
    return answer(tx, message, handler, received);
  }

  private Optional<Receipt> tryReceive(Transaction tx, Incoming message, InboxHandler handler)
      throws SQLException {
    Optional<Received> received =
        store.tryReceive(
            tx.connection(),
            consumer,
            message.id(),
            message.fingerprint(),
            tx.operationId(),
            settings.handlerSilence());
    return received.isEmpty()
        ? Optional.empty()
        : Optional.of(answer(tx, message, handler, received.get()));
  }

  private Receipt answer(Transaction tx, Incoming message, InboxHandler handler, Received received)
      throws SQLException {
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
