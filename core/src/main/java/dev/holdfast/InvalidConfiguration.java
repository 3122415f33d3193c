package dev.holdfast;

import org.jspecify.annotations.Nullable;

/** A setting that cannot be used. Nothing was started. */
public class InvalidConfiguration extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public InvalidConfiguration(String message) {
    super(message);
  }

  public InvalidConfiguration(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
