package dev.holdfast;

import org.jspecify.annotations.Nullable;

/**
 * The tables in the database are missing, too old or too new for this version of Holdfast. Nothing
 * was changed.
 */
public class SchemaMismatch extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public SchemaMismatch(String message) {
    super(message);
  }

  public SchemaMismatch(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
