package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.twophase.Atomic;
import dev.holdfast.twophase.AtomicBody;
import dev.holdfast.twophase.AtomicWork;
import dev.holdfast.twophase.Participant;
import org.jspecify.annotations.Nullable;

/**
 * Operations across databases whose deciding transaction Spring's manager begins and commits, so
 * that {@code JdbcTemplate}, an entity manager and {@link TransactionalOutbox} take part in it. A
 * bean where the application has one of the type {@link Participant}. Thread-safe.
 *
 * <p>It is a transaction of its own, as with {@code REQUIRES_NEW}, whatever runs on the thread
 * already. When it is marked rollback-only, or a callback in front of its commit throws, what was
 * prepared elsewhere is rolled back with it. What is done in the other databases goes by the {@link
 * dev.holdfast.twophase.Branch} and its connection: Spring knows nothing of it.
 */
public final class AtomicOperations {
  private final Holdfast holdfast;

  /**
   * @param holdfast whose transactions are Spring's
   */
  AtomicOperations(Holdfast holdfast) {
    this.holdfast = holdfast;
  }

  /** As {@link Holdfast#atomically}, with all it throws. */
  public void atomically(Participant other, AtomicBody body) {
    holdfast.atomically(holdfast.decider(), other, body);
  }

  /** As {@link #atomically}, with a result. */
  public <T extends @Nullable Object> T atomicallyReturning(Participant other, AtomicWork<T> work) {
    return holdfast.atomicallyReturning(holdfast.decider(), other, work);
  }

  /** As {@link Holdfast#atomic}: with more databases, or options. */
  public Atomic atomic() {
    return holdfast.atomic();
  }
}
