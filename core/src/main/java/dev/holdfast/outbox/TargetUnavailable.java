package dev.holdfast.outbox;

import dev.holdfast.HoldfastException;
import org.jspecify.annotations.Nullable;

/** A target cannot be reached. Messages wait, no attempt is counted, and it is tried again. */
public final class TargetUnavailable extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public TargetUnavailable(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
