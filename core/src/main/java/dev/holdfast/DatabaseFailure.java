package dev.holdfast;

import org.jspecify.annotations.Nullable;

/**
 * The database refused a statement; its SQLState is in the message and the {@code SQLException} is
 * the cause. Unless the message says otherwise the transaction is rolled back.
 */
public class DatabaseFailure extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public DatabaseFailure(String message) {
    super(message);
  }

  public DatabaseFailure(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
