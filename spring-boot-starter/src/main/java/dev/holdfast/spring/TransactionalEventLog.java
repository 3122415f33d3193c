package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.NoTransaction;
import dev.holdfast.TransactionWork;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Appended;
import dev.holdfast.eventlog.EventLog;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.StreamQuery;
import dev.holdfast.eventlog.decider.Decisions;
import java.util.List;
import java.util.UUID;

/**
 * The event log in Spring's current transaction: events are there if and only if that transaction
 * commits, with whatever else is in it. Thread-safe.
 *
 * <p>Needs what {@link TransactionalOutbox} needs. Each call is written at once, and holds up the
 * readers of the log until the transaction ends: append late, in short transactions. {@link
 * EventLog}, the other bean, appends in a commit of its own, whatever transaction there is, and has
 * the readers.
 */
public final class TransactionalEventLog {
  private final Holdfast holdfast;
  private final TransactionalOutbox outbox;

  TransactionalEventLog(Holdfast holdfast, TransactionalOutbox outbox) {
    this.holdfast = holdfast;
    this.outbox = outbox;
  }

  /**
   * Appends; see {@link EventLog#append(dev.holdfast.Transaction, Append)}. Where the append names
   * no operation, the events carry that of the transaction's messages.
   *
   * @throws NoTransaction when there is none of Holdfast's {@code DataSource}, or when it is
   *     read-only or has been committed already; nothing was appended
   * @throws dev.holdfast.eventlog.WrongExpectedVersion when a stream has another version; the
   *     transaction can go on
   */
  public Appended append(Append append) {
    return join(tx -> holdfast.eventLog().append(tx, append));
  }

  /**
   * Reads a part of a stream, with what the transaction itself has appended.
   *
   * @throws NoTransaction as {@link #append}
   */
  public List<RecordedEvent> read(StreamQuery query) {
    return join(tx -> holdfast.eventLog().read(tx, query));
  }

  /**
   * Carries a command out; see {@link Decisions#handle(dev.holdfast.Transaction, String, UUID,
   * Object)}.
   *
   * @throws NoTransaction as {@link #append}
   * @throws dev.holdfast.eventlog.WrongExpectedVersion when somebody else has appended since the
   *     stream was read: run the transaction again
   */
  public <C, E, S> Decisions.Decided<E, S> handle(
      Decisions<C, E, S> decisions, String stream, UUID commandId, C command) {
    return join(tx -> decisions.handle(tx, stream, commandId, command));
  }

  /**
   * A stream's state, with what the transaction itself has appended.
   *
   * @throws NoTransaction as {@link #append}
   */
  public <S> Decisions.At<S> state(Decisions<?, ?, S> decisions, String stream) {
    return join(tx -> decisions.state(tx, stream));
  }

  private <T> T join(TransactionWork<T> work) {
    var connection = outbox.requireTransaction();
    TransactionBuffer buffer = outbox.buffer();
    return holdfast.join(
        connection, buffer == null ? UUID.randomUUID().toString() : buffer.operationId(), work);
  }
}
