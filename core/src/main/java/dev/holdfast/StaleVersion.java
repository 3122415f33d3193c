package dev.holdfast;

import org.jspecify.annotations.Nullable;

/**
 * An update that expected a version found another, or no row: somebody else changed it first. The
 * transaction is rolled back by {@link Holdfast#transact}; read again and decide anew.
 */
public class StaleVersion extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public StaleVersion(String message) {
    super(message);
  }

  public StaleVersion(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
