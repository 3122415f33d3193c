package dev.holdfast;

import org.jspecify.annotations.Nullable;

/**
 * A message for a topic that no channel routes. Nothing was recorded; the surrounding transaction
 * is aborted.
 */
public class UnroutedTopic extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public UnroutedTopic(String message) {
    super(message);
  }

  public UnroutedTopic(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
