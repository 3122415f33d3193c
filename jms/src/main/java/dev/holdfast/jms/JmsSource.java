package dev.holdfast.jms;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.util.List;
import java.util.Set;

/**
 * A JMS queue, or a topic with a durable subscription, as the source of a {@link JmsInbox}: what
 * {@link dev.holdfast.guarantee.Guarantees#listener Guarantees.listener} computes from. Asks no
 * broker. Immutable and thread-safe.
 */
public final class JmsSource implements Boundary {
  private static final List<Assumption> ASSUMPTIONS =
      List.of(
          new Assumption(
              "jms.keeps-until-acknowledged",
              null,
              "The broker keeps a persistent message on a disk that it comes back with, brings it again until it is acknowledged, and has no policy of its own that drops it before the settings give it up (max-delivery-attempts, expiry).",
              Set.of()),
          new Assumption(
              "jms.same-id",
              null,
              "Whoever sends a message again sets the property cloudEvents_id as before; a JMSMessageID tells redeliveries alone.",
              Set.of()));

  @Override
  public String description() {
    return "jms";
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of(Capability.LOCAL_TRANSACTION);
  }

  /** What is sent there, the dead letters of a listener among it, is on the broker's disk. */
  @Override
  public Acknowledgment acknowledgment() {
    return Acknowledgment.PERSISTED;
  }

  @Override
  public List<Assumption> assumptions() {
    return ASSUMPTIONS;
  }
}
