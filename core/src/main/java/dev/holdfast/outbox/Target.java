package dev.holdfast.outbox;

import dev.holdfast.boundary.Boundary;
import java.util.Optional;

/** Where a channel delivers to. Implementations are immutable and thread-safe. */
public interface Target extends Boundary {

  /**
   * What a target is told about the channel it serves.
   *
   * @param channel the channel's name
   * @param scope unique to the store and the channel; what fences predecessors is named after it
   */
  record Context(String channel, String scope) {}

  /**
   * The progress record committed last, read without fencing anyone; empty when there is none or
   * this target keeps none.
   *
   * @throws TargetUnavailable when the target cannot be asked
   */
  Optional<String> peekProgress(Context context);

  /**
   * Opens a session, and makes every session opened before on the same scope fail from now on, with
   * whatever it had not committed rolled back. A target that cannot do so says it in its
   * capabilities, by leaving out {@code PROGRESS_MARK}.
   *
   * @throws TargetUnavailable when the target cannot be reached
   */
  TargetSession open(Context context);
}
