package dev.holdfast.jta;

import java.sql.SQLException;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.jboss.tm.XAResourceWrapper;
import org.jspecify.annotations.Nullable;

/**
 * A participant's resource that remembers what it was told and what it answered, since the
 * coordinator's exceptions do not say it per participant, and one of them says it wrongly: a
 * one-phase commit without an answer is called rolled back.
 *
 * <p>It corrects what drivers say. A connection that breaks, or a server that shuts down, is {@code
 * XAER_RMERR} to some (pgjdbc, for SQLState 57P01), which in the second phase means "rolled back"
 * to the coordinator: it would give up a branch that is prepared, and call that heuristic. {@code
 * XAER_RMFAIL} makes recovery come back.
 *
 * <p>The wrapper's name tells recovery which participant it has reached, so that a branch that a
 * reached participant does not know counts as ended, and one of a participant out of reach does
 * not.
 */
final class WatchedResource implements XAResourceWrapper {
  /** There is no such prepared transaction. */
  private static final String UNDEFINED_OBJECT = "42704";

  private final String participant;
  private final XAResource delegate;
  private final boolean recovery;
  private volatile BranchOutcome outcome = BranchOutcome.ROLLED_BACK;

  private WatchedResource(String participant, XAResource delegate, boolean recovery) {
    this.participant = participant;
    this.delegate = delegate;
    this.recovery = recovery;
  }

  static WatchedResource ofWork(String participant, XAResource delegate) {
    return new WatchedResource(participant, delegate, false);
  }

  static WatchedResource ofRecovery(String participant, XAResource delegate) {
    return new WatchedResource(participant, delegate, true);
  }

  /** Until something else is known, a branch has no effects: nobody has told it to commit. */
  BranchOutcome outcome() {
    return outcome;
  }

  @Override
  public int prepare(Xid xid) throws XAException {
    try {
      int vote = delegate.prepare(xid);
      outcome = vote == XA_RDONLY ? BranchOutcome.COMMITTED : BranchOutcome.IN_DOUBT;
      return vote;
    } catch (XAException e) {
      XAException corrected = corrected(e);
      // It refused; or its answer was lost, and it may be prepared.
      outcome = isRefusal(corrected) ? BranchOutcome.ROLLED_BACK : BranchOutcome.IN_DOUBT;
      throw corrected;
    }
  }

  @Override
  public void commit(Xid xid, boolean onePhase) throws XAException {
    // Whatever happens from here on, even an Error, it may have committed.
    outcome = onePhase ? BranchOutcome.UNKNOWN : BranchOutcome.IN_DOUBT;
    try {
      delegate.commit(xid, onePhase);
      outcome = BranchOutcome.COMMITTED;
    } catch (XAException e) {
      XAException corrected = corrected(e);
      if (onePhase) {
        outcome = isRefusal(corrected) ? BranchOutcome.ROLLED_BACK : heuristic(corrected);
        throw corrected;
      }
      if (corrected.errorCode == XAException.XAER_RMERR && cause(corrected) != null) {
        // The database said why, and it was not that the branch is gone: it is still prepared.
        corrected = replaced(corrected, XAException.XAER_RMFAIL);
      }
      outcome = isWithoutAnswer(corrected) ? BranchOutcome.IN_DOUBT : heuristic(corrected);
      throw corrected;
    }
  }

  @Override
  public void rollback(Xid xid) throws XAException {
    try {
      delegate.rollback(xid);
      outcome = BranchOutcome.ROLLED_BACK;
    } catch (XAException e) {
      XAException corrected = corrected(e);
      if (corrected.errorCode == XAException.XAER_RMERR && cause(corrected) != null) {
        corrected = replaced(corrected, XAException.XAER_RMFAIL);
      }
      if (corrected.errorCode == XAException.XAER_NOTA || isRollback(corrected.errorCode)) {
        outcome = BranchOutcome.ROLLED_BACK;
      } else if (!isWithoutAnswer(corrected)) {
        outcome = heuristic(corrected);
      }
      // Without an answer it is what it was: nothing yet, or prepared and in doubt.
      throw corrected;
    }
  }

  private static BranchOutcome heuristic(XAException e) {
    return switch (e.errorCode) {
      case XAException.XA_HEURCOM -> BranchOutcome.COMMITTED;
      case XAException.XA_HEURRB -> BranchOutcome.ROLLED_BACK;
      default -> isRollback(e.errorCode) ? BranchOutcome.ROLLED_BACK : BranchOutcome.UNKNOWN;
    };
  }

  private static boolean isRollback(int code) {
    return code >= XAException.XA_RBBASE && code <= XAException.XA_RBEND;
  }

  /** A database that names its reason has refused, and what it refuses it rolls back. */
  private static boolean isRefusal(XAException e) {
    return isRollback(e.errorCode) || (e.errorCode == XAException.XAER_RMERR && cause(e) != null);
  }

  private static boolean isWithoutAnswer(XAException e) {
    return e.errorCode == XAException.XAER_RMFAIL || e.errorCode == XAException.XA_RETRY;
  }

  private static XAException corrected(XAException e) {
    SQLException cause = cause(e);
    if (e.errorCode != XAException.XAER_RMERR || cause == null) {
      return e;
    }
    if (UNDEFINED_OBJECT.equals(cause.getSQLState())) {
      return replaced(e, XAException.XAER_NOTA);
    }
    return isOutOfReach(cause) ? replaced(e, XAException.XAER_RMFAIL) : e;
  }

  /** Classes 08, connection exception, and 57, operator intervention, without 57014, cancelled. */
  private static boolean isOutOfReach(SQLException e) {
    String state = String.valueOf(e.getSQLState());
    return state.startsWith("08") || state.startsWith("57P");
  }

  private static @Nullable SQLException cause(Throwable e) {
    for (Throwable each = e.getCause(); each != null; each = each.getCause()) {
      if (each instanceof SQLException sql) {
        return sql;
      }
    }
    return null;
  }

  private static XAException replaced(XAException e, int code) {
    XAException replaced = new XAException(code);
    replaced.initCause(e);
    return replaced;
  }

  @Override
  public void start(Xid xid, int flags) throws XAException {
    delegate.start(xid, flags);
  }

  @Override
  public void end(Xid xid, int flags) throws XAException {
    delegate.end(xid, flags);
  }

  @Override
  public void forget(Xid xid) throws XAException {
    delegate.forget(xid);
  }

  @Override
  public Xid[] recover(int flags) throws XAException {
    return delegate.recover(flags);
  }

  /**
   * Every participant has a branch of its own, also two at one server: they are told apart when
   * something goes wrong. To recovery, a participant is the same on whichever connection.
   */
  @Override
  public boolean isSameRM(XAResource other) {
    return this == other
        || (recovery
            && other instanceof WatchedResource watched
            && watched.recovery
            && watched.participant.equals(participant));
  }

  @Override
  public int getTransactionTimeout() throws XAException {
    return delegate.getTransactionTimeout();
  }

  @Override
  public boolean setTransactionTimeout(int seconds) throws XAException {
    return delegate.setTransactionTimeout(seconds);
  }

  @Override
  public XAResource getResource() {
    return delegate;
  }

  @Override
  public String getProductName() {
    return participant;
  }

  @Override
  public String getProductVersion() {
    return "";
  }

  @Override
  public String getJndiName() {
    return participant;
  }

  @Override
  public String toString() {
    return participant;
  }
}
