package dev.holdfast.outbox;

import dev.holdfast.boundary.Boundary;

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
   * Opens a session and disturbs nobody by it: a standby opens one while another leads, so that a
   * takeover need not wait for connections.
   *
   * @throws TargetUnavailable when the target cannot be reached
   */
  TargetSession open(Context context);
}
