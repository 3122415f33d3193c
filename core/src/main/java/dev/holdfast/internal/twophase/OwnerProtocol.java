package dev.holdfast.internal.twophase;

import java.util.List;

/**
 * What the process that runs an operation does, one step after the other. The table is what the
 * model checker explores and what {@link AtomicAttempt} executes; the diagram in {@code
 * docs/two-phase-commit.md} is generated from it.
 *
 * @param table every transition there is
 */
public record OwnerProtocol(List<Transition> table) {

  /** How far the operation is. */
  public enum State {
    /** The work runs; its transactions are open in every database. */
    WORKING,
    /** The decision is being written into the deciding transaction. */
    DECIDING,
    /** One branch after the other is being prepared. */
    PREPARING,
    /** The deciding transaction is being committed. */
    COMMITTING,
    /** Decided: the branches are being committed. */
    FINISHING,
    /** Decided the other way, or never decided: all is being undone. */
    UNDOING,
    /** Committed everywhere, or being committed by whoever takes it up. */
    COMMITTED,
    /** Undone everywhere, or being undone by whoever finds it. */
    ABORTED,
    /** The reply to the deciding commit is lost. */
    UNKNOWN
  }

  /** What happened. */
  public enum Event {
    /** The work returned. */
    WORKED,
    /** The decision's row is in the transaction. */
    WRITTEN,
    /** A branch is prepared, and others are not. */
    PREPARED,
    /** Every branch is prepared. */
    ALL_PREPARED,
    /** The deciding transaction is committed. */
    DECIDED,
    /** The database says that it is not, or something before failed. */
    FAILED,
    /** The connection broke while it was being committed. */
    REPLY_LOST,
    /** What can be done here is done. */
    FINISHED
  }

  /** What is done next. */
  public enum Action {
    WRITE_DECISION,
    PREPARE_NEXT,
    COMMIT_DECISION,
    COMMIT_BRANCHES,
    ROLL_BACK,
    RETURN,
    THROW,
    THROW_UNKNOWN
  }

  /** A row of the table. */
  public record Transition(State from, Event event, Action action, State to) {}

  /** The protocol. */
  public static final OwnerProtocol STANDARD =
      new OwnerProtocol(
          List.of(
              row(State.WORKING, Event.WORKED, Action.WRITE_DECISION, State.DECIDING),
              row(State.WORKING, Event.FAILED, Action.ROLL_BACK, State.UNDOING),
              row(State.DECIDING, Event.WRITTEN, Action.PREPARE_NEXT, State.PREPARING),
              row(State.DECIDING, Event.FAILED, Action.ROLL_BACK, State.UNDOING),
              row(State.PREPARING, Event.PREPARED, Action.PREPARE_NEXT, State.PREPARING),
              row(State.PREPARING, Event.ALL_PREPARED, Action.COMMIT_DECISION, State.COMMITTING),
              row(State.PREPARING, Event.FAILED, Action.ROLL_BACK, State.UNDOING),
              row(State.COMMITTING, Event.DECIDED, Action.COMMIT_BRANCHES, State.FINISHING),
              row(State.COMMITTING, Event.FAILED, Action.ROLL_BACK, State.UNDOING),
              row(State.COMMITTING, Event.REPLY_LOST, Action.THROW_UNKNOWN, State.UNKNOWN),
              row(State.FINISHING, Event.FINISHED, Action.RETURN, State.COMMITTED),
              row(State.UNDOING, Event.FINISHED, Action.THROW, State.ABORTED)));

  public OwnerProtocol {
    table = List.copyOf(table);
  }

  private static Transition row(State from, Event event, Action action, State to) {
    return new Transition(from, event, action, to);
  }

  /**
   * @throws IllegalStateException when the table has no such transition
   */
  public Transition after(State state, Event event) {
    for (Transition row : table) {
      if (row.from() == state && row.event() == event) {
        return row;
      }
    }
    throw new IllegalStateException("There is no transition from " + state + " on " + event);
  }
}
