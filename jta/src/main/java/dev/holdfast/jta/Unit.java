package dev.holdfast.jta;

import dev.holdfast.HoldfastException;
import jakarta.transaction.RollbackException;
import jakarta.transaction.Status;
import jakarta.transaction.Synchronization;
import jakarta.transaction.SystemException;
import jakarta.transaction.Transaction;
import java.util.LinkedHashMap;
import java.util.Map;

/** A transaction and the participants that have joined it. */
final class Unit implements XaTransaction, Synchronization {
  private record Joined<T>(Link.Lease<T> lease, WatchedResource resource) {}

  private final Map<XaParticipant<?>, Link<?>> links;
  private final Transaction transaction;
  private final Runnable whenEnded;
  private final Thread owner = Thread.currentThread();
  private final Map<XaParticipant<?>, Joined<?>> joined = new LinkedHashMap<>();
  private boolean ended;

  Unit(Map<XaParticipant<?>, Link<?>> links, Transaction transaction, Runnable whenEnded) {
    this.links = links;
    this.transaction = transaction;
    this.whenEnded = whenEnded;
  }

  @Override
  public <T> T in(XaParticipant<T> participant) {
    if (Thread.currentThread() != owner) {
      throw new HoldfastException(
          "The participant %s is used on another thread than the transaction's. Nothing was done there."
              .formatted(participant));
    }
    return lease(participant).handle();
  }

  private synchronized <T> Link.Lease<T> lease(XaParticipant<T> participant) {
    Joined<?> before = joined.get(participant);
    if (before != null) {
      return sameType(before.lease());
    }
    if (ended) {
      throw new HoldfastException(
          "The transaction has ended, and %s cannot join it any more. Nothing was done there."
              .formatted(participant));
    }
    Link<?> link = links.get(participant);
    if (link == null) {
      throw new HoldfastException(
          "%s is not one of the participants %s, so that nobody could recover it. Nothing was done there. Name it when the coordinator is built."
              .formatted(participant, links.keySet()));
    }
    Link.Lease<T> lease = sameType(link.lease());
    WatchedResource resource = WatchedResource.ofWork(participant.name(), lease.resource());
    try {
      if (!transaction.enlistResource(resource)) {
        throw new SystemException("The resource was refused");
      }
    } catch (RollbackException | SystemException | IllegalStateException e) {
      lease.end(false);
      throw new HoldfastException(
          "The participant %s could not join the transaction. Nothing was done there. Let this leave the work, so that everything is rolled back."
              .formatted(participant),
          e);
    }
    joined.put(participant, new Joined<>(lease, resource));
    return lease;
  }

  /** Links are kept under the participant that opened them. */
  @SuppressWarnings("unchecked")
  private static <T> Link.Lease<T> sameType(Link.Lease<?> lease) {
    return (Link.Lease<T>) lease;
  }

  /** Of every participant that has joined, by name. */
  synchronized Map<String, BranchOutcome> outcomes() {
    Map<String, BranchOutcome> outcomes = new LinkedHashMap<>();
    joined.forEach(
        (participant, each) -> outcomes.put(participant.name(), each.resource().outcome()));
    return outcomes;
  }

  @Override
  public void beforeCompletion() {
    // Everything is in the participants already.
  }

  /**
   * May be on the thread that ends transactions whose time is over, while the work still goes on: a
   * connection that it may be using is not used for anything else.
   */
  @Override
  public synchronized void afterCompletion(int status) {
    if (ended) {
      return;
    }
    ended = true;
    boolean ours = Thread.currentThread() == owner;
    for (Joined<?> each : joined.values()) {
      BranchOutcome outcome = each.resource().outcome();
      boolean plain =
          status == Status.STATUS_COMMITTED
              ? outcome == BranchOutcome.COMMITTED
              : outcome == BranchOutcome.ROLLED_BACK && status == Status.STATUS_ROLLEDBACK;
      each.lease().end(ours && plain);
    }
    whenEnded.run();
  }
}
