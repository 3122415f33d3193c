package dev.holdfast.spring;

import dev.holdfast.InvalidMessage;
import dev.holdfast.Message;
import dev.holdfast.NoTransaction;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * The messages of one of Spring's transactions, kept until just before its commit. Bound to the
 * thread under its outbox, from the transaction's begin to its end, and put aside while the
 * transaction is suspended. Used by one thread.
 *
 * <p>Three phases. <em>Collecting</em>: messages are kept, and cut off when the transaction rolls
 * back to a savepoint. <em>Written</em>: just before the commit, behind everyone else's {@code
 * beforeCommit}, all are written in one statement; a message that comes still later, out of a JPA
 * flush that the commit itself triggers, is written at once. <em>Over</em>: from the commit on, so
 * that {@code afterCommit} cannot add what nobody would commit. Being told of the commit first, it
 * has to be the first among the synchronizations; being written last, it is not written by them but
 * by {@link TransactionWatch}.
 */
final class TransactionBuffer implements TransactionSynchronization {
  /** A bound on what one transaction may hold in memory; that of {@code Holdfast.transact}. */
  static final int MAX_MESSAGES = 100_000;

  private enum Phase {
    COLLECTING,
    WRITTEN,
    OVER
  }

  private record Mark(Object savepoint, int size, @Nullable RuntimeException refusal) {}

  private final TransactionalOutbox outbox;
  private final List<Message> messages = new ArrayList<>();
  private final Deque<Mark> marks = new ArrayDeque<>();
  private Phase phase = Phase.COLLECTING;
  private @Nullable String operationId;
  private boolean named;
  private boolean anyWritten;
  private @Nullable RuntimeException refusal;

  TransactionBuffer(TransactionalOutbox outbox) {
    this.outbox = outbox;
  }

  /** One per transaction: the caller's, once it has named one. */
  String operationId() {
    if (operationId == null) {
      operationId = UUID.randomUUID().toString();
      named = true;
    }
    return operationId;
  }

  void operationId(String given) {
    if (named && !given.equals(operationId)) {
      throw new InvalidMessage(
          "The transaction belongs to operation %s already, so what was published for operation %s was not recorded. One transaction is one operation: name it with the first message, or use another transaction."
              .formatted(operationId, given));
    }
    operationId = given;
    named = true;
  }

  /**
   * What follows belongs to this operation, unless the caller names another: that of what was
   * received, of which there may be several in a transaction.
   */
  void beginPart(String operation) {
    operationId = operation;
    named = false;
  }

  /** Ends an operation begun so: its messages are written, under its id. */
  void endPart() {
    if (refusal != null) {
      throw refusal;
    }
    write(messages);
    messages.clear();
    marks.clear();
    operationId = null;
    named = false;
  }

  void add(List<Message> more) {
    switch (phase) {
      case COLLECTING -> {
        if (messages.size() + more.size() > MAX_MESSAGES) {
          throw new InvalidMessage(
              "The transaction holds %,d messages, and %,d more are over the bound of %,d; these were not recorded. Split the work into several transactions."
                  .formatted(messages.size(), more.size(), MAX_MESSAGES));
        }
        messages.addAll(more);
      }
      case WRITTEN -> write(more);
      case OVER -> throw over();
    }
  }

  static NoTransaction over() {
    return new NoTransaction(
        "The transaction has been committed already, so nothing was recorded. Publish before it ends"
            + " (a BEFORE_COMMIT listener may), or in a transaction of its own (REQUIRES_NEW).");
  }

  /** The commit will throw this, even if whoever gets it now goes on. */
  void refuse(RuntimeException reason) {
    if (refusal == null) {
      refusal = reason;
    }
  }

  /** Just before the commit. What it throws rolls the transaction back. */
  void write() {
    if (refusal != null) {
      throw refusal;
    }
    if (phase == Phase.COLLECTING) {
      phase = Phase.WRITTEN;
      write(messages);
      messages.clear();
    }
  }

  private void write(List<Message> some) {
    if (!some.isEmpty()) {
      outbox.write(operationId(), some);
      anyWritten = true;
    }
  }

  @Override
  public int getOrder() {
    return Ordered.HIGHEST_PRECEDENCE;
  }

  @Override
  public void suspend() {
    TransactionSynchronizationManager.unbindResourceIfPossible(outbox);
  }

  @Override
  public void resume() {
    TransactionSynchronizationManager.bindResource(outbox, this);
  }

  @Override
  public void savepoint(Object savepoint) {
    marks.push(new Mark(savepoint, messages.size(), refusal));
  }

  @Override
  public void savepointRollback(Object savepoint) {
    // The savepoint itself survives a rollback to it; those set after it do not.
    for (Iterator<Mark> newestFirst = marks.iterator(); newestFirst.hasNext(); ) {
      Mark mark = newestFirst.next();
      if (mark.savepoint().equals(savepoint)) {
        messages.subList(Math.min(mark.size(), messages.size()), messages.size()).clear();
        refusal = mark.refusal();
        return;
      }
      newestFirst.remove();
    }
  }

  @Override
  public void afterCommit() {
    phase = Phase.OVER;
    if (anyWritten) {
      outbox.committed();
    }
  }

  @Override
  public void afterCompletion(int status) {
    phase = Phase.OVER;
    TransactionSynchronizationManager.unbindResourceIfPossible(outbox);
  }
}
