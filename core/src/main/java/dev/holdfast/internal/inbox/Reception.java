package dev.holdfast.internal.inbox;

import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidMessage;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.Transaction;
import dev.holdfast.inbox.FingerprintMismatch;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxHandler;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Reply;
import dev.holdfast.inbox.TryAgainLater;
import java.sql.SQLException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Brings messages to an inbox, and tells what is wrong with the database, which a message can wait
 * for, from what is wrong with a message. Used by one thread.
 */
public final class Reception {
  /**
   * A handler that loses its connection so often in a row is held to be the cause: the database was
   * there each time when it began. Otherwise a message that brings its session down would be waited
   * with for ever.
   */
  private static final int MOST_BREAKS = 3;

  /**
   * A lock that was not had in time, a statement that took too long, a serialization failure, a
   * deadlock, a privilege, a table, a schema, a function that is missing.
   */
  private static final Set<String> OF_NO_MESSAGE =
      Set.of("55P03", "57014", "40001", "40P01", "42501", "42P01", "3F000", "42883");

  private final Inbox inbox;
  private int breaks;

  public Reception(Inbox inbox) {
    this.inbox = inbox;
  }

  /** What came of a message. */
  public sealed interface Result {

    /** Nothing of it is there. */
    sealed interface NotHandled extends Result {
      Throwable cause();
    }

    /** It is handled, now or before, and committed: the broker may be told. */
    record Handled(boolean repeated) implements Result {}

    /**
     * The database is out of reach, or something else that the handler has named with {@link
     * TryAgainLater}: nothing is known to be wrong with the message. It may be brought again, and
     * has to be.
     */
    record Outage(Throwable cause) implements NotHandled {}

    /** Its handler failed, and nothing of it is left. Brought again it may succeed. */
    record Failed(Throwable cause) implements NotHandled {}

    /** It would be refused however often it is brought. Nothing of it is there. */
    record Unusable(HoldfastException cause) implements NotHandled {}
  }

  /**
   * Brings a message, in a transaction of the inbox's own. Throws nothing but an {@link
   * OutOfMemoryError}: whatever else a handler throws, declared or not, is its message's.
   */
  public Result bring(Incoming message, InboxHandler handler) {
    Watched watched = new Watched(handler);
    try {
      boolean repeated = inbox.once(message, watched).repeated();
      breaks = 0;
      return new Result.Handled(repeated);
    } catch (OutOfMemoryError e) {
      throw e;
    } catch (Throwable e) {
      return verdict(e, watched);
    }
  }

  private Result verdict(Throwable thrown, Watched watched) {
    boolean byHandler = thrown == watched.thrown;
    if (!byHandler
        && thrown instanceof HoldfastException refusal
        && (thrown instanceof FingerprintMismatch || thrown instanceof InvalidMessage)) {
      return new Result.Unusable(refusal);
    }
    if (thrown instanceof TryAgainLater) {
      // Of what it cannot reach the handler knows more than we.
      return new Result.Outage(thrown);
    }
    if (!watched.reached && isOfNoMessage(thrown)) {
      return new Result.Outage(thrown);
    }
    if (!isOutage(thrown, byHandler)) {
      breaks = 0;
      return new Result.Failed(thrown);
    }
    breaks = watched.reached ? breaks + 1 : 0;
    if (breaks >= MOST_BREAKS) {
      breaks = 0;
      return new Result.Failed(thrown);
    }
    return new Result.Outage(thrown);
  }

  private static boolean isOutage(Throwable thrown, boolean byHandler) {
    // The handler's own is another transaction's, which brought again would be repeated blindly.
    if (thrown instanceof OutcomeUnknown) {
      return !byHandler;
    }
    boolean outage = false;
    for (Throwable e = thrown; e != null; e = e.getCause()) {
      String state = e instanceof SQLException sql ? sql.getSQLState() : null;
      if (state != null && (state.equals("25P03") || state.equals("25P04"))) {
        // The database ended a transaction that its handler had left alone.
        return false;
      }
      outage |=
          e instanceof StoreUnavailable
              || (state != null
                  && (state.startsWith("08")
                      || state.startsWith("57P0")
                      || state.startsWith("53")));
    }
    return outage;
  }

  /** What the database says of tables, rights, and how long others take. */
  private static boolean isOfNoMessage(Throwable thrown) {
    for (Throwable e = thrown; e != null; e = e.getCause()) {
      if (e instanceof SQLException sql
          && OF_NO_MESSAGE.contains(String.valueOf(sql.getSQLState()))) {
        return true;
      }
    }
    return false;
  }

  /** Remembers whether the handler was reached, and what it threw. */
  private static final class Watched implements InboxHandler {
    private final InboxHandler handler;
    private boolean reached;
    private @Nullable Throwable thrown;

    Watched(InboxHandler handler) {
      this.handler = handler;
    }

    @Override
    public Reply handle(Transaction tx) throws SQLException {
      reached = true;
      try {
        return handler.handle(tx);
      } catch (Throwable e) {
        thrown = e;
        throw e;
      }
    }
  }
}
