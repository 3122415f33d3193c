package dev.holdfast.outbox;

import dev.holdfast.outbox.store.OutboxRecord;
import java.util.List;
import java.util.Optional;

/**
 * One process's connection to a target for one channel. Used by one thread, apart from {@link
 * #close}.
 *
 * <p>It begins as a bystander's, which may only {@linkplain #peekProgress look}. {@link #takeOver}
 * makes it the leader's.
 */
public interface TargetSession extends AutoCloseable {

  /**
   * The progress record committed last, as far as that is decided, read without fencing anyone;
   * empty when there is none or this target keeps none.
   *
   * @throws TargetUnavailable when the target cannot be asked
   */
  Optional<String> peekProgress();

  /**
   * Makes every session that took over before on the same scope fail from now on, with whatever it
   * had not committed rolled back. A target that cannot do so says it in its capabilities, by
   * leaving out {@code PROGRESS_MARK}.
   *
   * @throws TargetUnavailable when the target cannot be reached
   */
  void takeOver();

  /**
   * After {@link #takeOver}: the progress record committed last, which nobody else can move any
   * more; empty when there is none or this target keeps none.
   *
   * @throws TargetUnavailable when the target cannot be asked
   */
  Optional<String> progress();

  /**
   * After {@link #takeOver}: delivers messages in order, together with the progress record where
   * the target can commit both as one. Called with no messages to record progress alone.
   *
   * @return what became of them; after {@link Delivery.Unavailable} or {@link Delivery.Fenced} the
   *     session is of no more use
   */
  Delivery send(List<OutboxRecord> messages, String progress);

  /** Releases everything, quickly; messages not yet committed are given up. Never throws. */
  @Override
  void close();
}
