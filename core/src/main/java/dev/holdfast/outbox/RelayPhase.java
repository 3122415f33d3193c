package dev.holdfast.outbox;

import java.util.List;
import java.util.Optional;

/**
 * What a channel's relay in this process is doing. The table below is the protocol; the diagram in
 * {@code docs/outbox.md} is generated from it.
 */
public enum RelayPhase {
  /** Another process leads, or nobody does yet. */
  STANDBY,
  /** Has the lease; fences the predecessor and finds out where to go on. */
  TAKING_OVER,
  /** Reads and delivers. */
  LEADING,
  /** The target or the database cannot be reached; tries again, less and less often. */
  BLOCKED,
  /** By an operator; messages wait. */
  PAUSED,
  /** Going on would lose or invent messages; an operator has to decide. */
  STOPPED,
  /** The process is shutting down. */
  CLOSED;

  /** What makes a relay change its phase. */
  public enum Event {
    LEASE_TAKEN,
    ANCHORED,
    LEASE_LOST,
    UNREACHABLE,
    RETRY,
    PAUSE_SEEN,
    STOP_SEEN,
    RUN_SEEN,
    CLOSE
  }

  /** A row of the table. */
  public record Transition(RelayPhase from, Event event, RelayPhase to) {}

  /** Every transition there is; from every phase, {@code CLOSE} leads to {@code CLOSED}. */
  public static final List<Transition> TABLE =
      List.of(
          new Transition(STANDBY, Event.LEASE_TAKEN, TAKING_OVER),
          new Transition(STANDBY, Event.PAUSE_SEEN, PAUSED),
          new Transition(STANDBY, Event.STOP_SEEN, STOPPED),
          new Transition(STANDBY, Event.UNREACHABLE, BLOCKED),
          new Transition(TAKING_OVER, Event.ANCHORED, LEADING),
          new Transition(TAKING_OVER, Event.LEASE_LOST, STANDBY),
          new Transition(TAKING_OVER, Event.UNREACHABLE, BLOCKED),
          new Transition(TAKING_OVER, Event.STOP_SEEN, STOPPED),
          new Transition(LEADING, Event.LEASE_LOST, STANDBY),
          new Transition(LEADING, Event.UNREACHABLE, BLOCKED),
          new Transition(LEADING, Event.PAUSE_SEEN, PAUSED),
          new Transition(LEADING, Event.STOP_SEEN, STOPPED),
          new Transition(BLOCKED, Event.RETRY, STANDBY),
          new Transition(PAUSED, Event.RUN_SEEN, STANDBY),
          new Transition(PAUSED, Event.STOP_SEEN, STOPPED),
          new Transition(PAUSED, Event.UNREACHABLE, BLOCKED),
          new Transition(STOPPED, Event.RUN_SEEN, STANDBY),
          new Transition(STOPPED, Event.PAUSE_SEEN, PAUSED),
          new Transition(STOPPED, Event.UNREACHABLE, BLOCKED));

  /** The phase after an event, or empty when the table has no such transition. */
  public Optional<RelayPhase> after(Event event) {
    if (event == Event.CLOSE) {
      return Optional.of(CLOSED);
    }
    return TABLE.stream()
        .filter(row -> row.from() == this && row.event() == event)
        .map(Transition::to)
        .findFirst();
  }
}
