package dev.holdfast.rabbitmq;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.util.List;
import java.util.Set;

/**
 * A RabbitMQ queue as the source of a {@link RabbitMqInbox}: what {@link
 * dev.holdfast.guarantee.Guarantees#listener Guarantees.listener} computes from. It does not move a
 * message from one queue to another in one commit. Asks no broker. Immutable and thread-safe.
 */
public final class RabbitMqSource implements Boundary {
  private static final List<Assumption> ASSUMPTIONS =
      List.of(
          new Assumption(
              "rabbitmq.keeps-until-acknowledged",
              null,
              "The queue is durable, its messages are persistent, and nothing of it (a length limit, a time to live, a delivery limit) drops a message before it is acknowledged.",
              Set.of()),
          new Assumption(
              "rabbitmq.same-id",
              null,
              "Senders set message-id, and the same when they send a message again.",
              Set.of()));

  @Override
  public String description() {
    return "rabbitmq";
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of();
  }

  /**
   * What is published there and confirmed, the dead letters of a listener among it, is on its disk.
   */
  @Override
  public Acknowledgment acknowledgment() {
    return Acknowledgment.PERSISTED;
  }

  @Override
  public List<Assumption> assumptions() {
    return ASSUMPTIONS;
  }
}
