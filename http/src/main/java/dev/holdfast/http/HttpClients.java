package dev.holdfast.http;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.util.List;
import java.util.Set;

/**
 * Those who send requests to a receiver with idempotency keys ({@link IdempotencyKeyFilter}, {@link
 * IdempotentHandler}), as a boundary: what {@link dev.holdfast.guarantee.Guarantees#receiver
 * Guarantees.receiver} assumes of them. Immutable and thread-safe.
 */
public final class HttpClients implements Boundary {
  private static final List<Assumption> ASSUMPTIONS =
      List.of(
          new Assumption(
              "http.same-key",
              null,
              "A client that has no answer, or is told to come again, repeats its request unchanged under the same key, until it has one.",
              Set.of()),
          new Assumption(
              "http.principals",
              null,
              "Clients that are to be told apart are authenticated in front of the receiver, or their keys are random.",
              Set.of()));

  @Override
  public String description() {
    return "http requests";
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of();
  }

  /** A client that has the response may forget it; nothing is known of it after that. */
  @Override
  public Acknowledgment acknowledgment() {
    return Acknowledgment.ACCEPTED;
  }

  @Override
  public List<Assumption> assumptions() {
    return ASSUMPTIONS;
  }
}
