package dev.holdfast.crashtest;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Capability;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import java.util.Set;

/** Where messages are routed to whose delivery is not looked at: they stay in the outbox. */
final class UndeliveredTarget implements Target {

  @Override
  public String description() {
    return "nowhere";
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of();
  }

  @Override
  public Acknowledgment acknowledgment() {
    return Acknowledgment.ACCEPTED;
  }

  @Override
  public TargetSession open(Context context) {
    throw new UnsupportedOperationException("Nobody delivers these messages.");
  }
}
