package dev.holdfast.outbox;

/** A leader's term is over. Carries the event that follows from it. */
final class TermEnded extends Exception {
  private static final long serialVersionUID = 1L;

  private final RelayPhase.Event event;

  TermEnded(RelayPhase.Event event, String reason) {
    super(reason, null, false, false);
    this.event = event;
  }

  RelayPhase.Event event() {
    return event;
  }

  /** Ends the term when a fenced write was refused. */
  static void unless(boolean stillOwner) throws TermEnded {
    if (!stillOwner) {
      throw new TermEnded(RelayPhase.Event.LEASE_LOST, "the lease was taken over");
    }
  }
}
