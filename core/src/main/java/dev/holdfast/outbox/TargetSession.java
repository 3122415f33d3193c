package dev.holdfast.outbox;

import dev.holdfast.outbox.store.OutboxRecord;
import java.util.List;
import java.util.Optional;

/** One leader's connection to a target. Used by one thread, apart from {@link #close}. */
public interface TargetSession extends AutoCloseable {

  /** The progress record committed last; empty when there is none or this target keeps none. */
  Optional<String> progress();

  /**
   * Delivers messages in order, together with the progress record where the target can commit both
   * as one. Called with no messages to record progress alone.
   *
   * @return what became of them; after {@link Delivery.Unavailable} or {@link Delivery.Fenced} the
   *     session is of no more use
   */
  Delivery send(List<OutboxRecord> messages, String progress);

  /** Releases everything, quickly; messages not yet committed are given up. Never throws. */
  @Override
  void close();
}
