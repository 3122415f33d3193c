package dev.holdfast;

import org.jspecify.annotations.Nullable;

/** The database could not be reached. Nothing of the failed call was committed. */
public class StoreUnavailable extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public StoreUnavailable(String message) {
    super(message);
  }

  public StoreUnavailable(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
