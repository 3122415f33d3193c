package dev.holdfast.opensearch;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Capability;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import java.util.Set;

/** Where messages go that nobody sends here: they stay in the outbox. */
final class NowhereTarget implements Target {
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
    throw new UnsupportedOperationException("nothing is sent");
  }
}
