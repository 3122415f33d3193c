package dev.holdfast.kafka.inbox;

import dev.holdfast.Holdfast;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.Transaction;
import dev.holdfast.TransactionBody;
import dev.holdfast.inbox.TryAgainLater;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.outbox.store.OutboxWriter;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Calls the application's handler, and tells a record that cannot be handled from what others have
 * to mend. Used by one thread.
 */
abstract class Handling {
  /** Calls that take so long together that a broker has probably answered meanwhile. */
  private static final int LONG = 200;

  private final Holdfast holdfast;

  /**
   * From so many records on a question to the broker is likely to be answered before they are
   * handled.
   */
  private final int worthOverlapping;

  /** Of the calls in the last transaction the one that took longest. */
  private Duration longest = Duration.ZERO;

  private int longestPlace = HandlerFailed.SOMEWHERE;

  private Handling(Holdfast holdfast, int worthOverlapping) {
    this.holdfast = holdfast;
    this.worthOverlapping = worthOverlapping;
  }

  final int worthOverlapping() {
    return worthOverlapping;
  }

  /** A call for each record. */
  static Handling each(Holdfast holdfast, KafkaHandler handler) {
    return new Handling(holdfast, LONG) {
      @Override
      void handle(Transaction tx, List<Item> slice, List<Integer> places) throws SQLException {
        for (int place : places) {
          Item item = slice.get(place);
          call(tx, item.operation(), place, inner -> handler.handle(inner, item.message()));
        }
      }
    };
  }

  /** A call for all of them, which is often over before the broker answers. */
  static Handling together(Holdfast holdfast, KafkaBatchHandler handler) {
    return new Handling(holdfast, Integer.MAX_VALUE) {
      @Override
      void handle(Transaction tx, List<Item> slice, List<Integer> places) throws SQLException {
        if (places.isEmpty()) {
          return;
        }
        List<ConsumerRecord<byte[], byte[]>> messages =
            places.stream().map(place -> slice.get(place).message()).toList();
        List<String> operations =
            places.stream().map(place -> slice.get(place).operation()).distinct().toList();
        call(
            tx,
            operations.size() == 1 ? operations.get(0) : UUID.randomUUID().toString(),
            places.size() == 1 ? places.get(0) : HandlerFailed.SOMEWHERE,
            inner -> handler.handle(inner, messages));
      }
    };
  }

  /**
   * Handles those at these places of a slice, in their order.
   *
   * @throws HandlerFailed when one of them cannot be handled
   */
  abstract void handle(Transaction tx, List<Item> slice, List<Integer> places) throws SQLException;

  /** A transaction begins. */
  final void begin() {
    longest = Duration.ZERO;
    longestPlace = HandlerFailed.SOMEWHERE;
  }

  final void call(Transaction tx, String operation, int place, TransactionBody body)
      throws SQLException {
    long begun = Doorbell.nanos();
    try {
      holdfast.join(
          tx.connection(),
          operation,
          inner -> {
            body.run(inner);
            return Boolean.TRUE;
          });
    } catch (Throwable e) {
      // Of whatever kind: some languages do not declare what they throw.
      SQLException cause = sqlCause(e);
      if (cause != null && holdfast.store().writer().isRetryable(cause)) {
        // All of the transaction is run again.
        throw cause;
      }
      // What does not fit into memory may do so in halves, or later.
      boolean outage =
          e instanceof OutOfMemoryError
              || e instanceof TryAgainLater
              || e instanceof StoreUnavailable
              || (cause != null && isOutage(cause));
      throw new HandlerFailed(place, outage, e);
    } finally {
      Duration took = Doorbell.since(begun);
      if (took.compareTo(longest) > 0) {
        longest = took;
        longestPlace = place;
      }
    }
  }

  /** As Holdfast takes it for itself: the connection, the pool, or what the server lacks. */
  private boolean isOutage(SQLException cause) {
    if ("25P03".equals(cause.getSQLState()) || "25P04".equals(cause.getSQLState())) {
      // The database ended a transaction that took too long, or was left alone.
      return false;
    }
    OutboxWriter writer = holdfast.store().writer();
    return writer.isReplyLost(cause)
        || writer.translate("handle a record", cause) instanceof StoreUnavailable;
  }

  /** Handlers and their libraries wrap what the database says. */
  private static @Nullable SQLException sqlCause(Throwable thrown) {
    for (Throwable e = thrown; e != null; e = e.getCause()) {
      if (e instanceof SQLException sql) {
        return sql;
      }
    }
    return null;
  }

  /** Whether a call was long enough for the database to end a transaction that it left alone. */
  final boolean wasSilentFor(Duration silence) {
    return longest.compareTo(silence) >= 0;
  }

  /** The place of the call that took longest. */
  final int longestPlace() {
    return longestPlace;
  }
}
