package dev.holdfast.workflow;

import dev.holdfast.Transaction;
import dev.holdfast.TransactionBody;
import java.sql.SQLException;
import java.time.Duration;

/** A {@link Step} without a result; everything is as it is there. */
public interface Action {

  /** As {@link Step#transact}. */
  void transact(TransactionBody body);

  /** As {@link Step#retry}. */
  Action retry(Retry retry);

  /** As {@link Step#compensate}. */
  Transacted compensate(Undo undo);

  /** As {@link Step#compensateByKey}. */
  Called compensateByKey(UndoByKey undo);

  /** As {@link Step#lookup}. */
  Looked lookup(Lookup lookup);

  /** As {@link Step#keyKeptFor}. */
  Called keyKeptFor(Duration keptFor);

  /** As {@link Step#parkUnknown}. */
  Called parkUnknown();

  /** Undoes a transaction's step, within a transaction. */
  @FunctionalInterface
  interface Undo {
    void run(Transaction tx) throws SQLException;
  }

  /** Undoes a call of which may not be known whether it had its effect. */
  @FunctionalInterface
  interface UndoByKey {
    void run(String key) throws Exception;
  }

  /** Asks what became of a call; has no effect, and throws when it has no answer. */
  @FunctionalInterface
  interface Lookup {
    Seen<Boolean> run(String key) throws Exception;
  }

  /** Calls somebody else; see {@link Step.Call}. */
  @FunctionalInterface
  interface Call {
    void run(String key) throws Exception;
  }

  /** As {@link Step.Transacted}. */
  interface Transacted {
    Transacted retry(Retry retry);

    Transacted retryCompensation(Retry retry);

    void transact(TransactionBody body);
  }

  /** As {@link Step.Looked}. */
  interface Looked {
    Called settleAfter(Duration time);
  }

  /** As {@link Step.Called}. */
  interface Called {
    Called retry(Retry retry);

    Called keyKeptFor(Duration keptFor);

    Called timeout(Duration time);

    Called compensate(UndoByKey undo);

    Called retryCompensation(Retry retry);

    void call(Call call);
  }
}
