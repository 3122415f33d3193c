package dev.holdfast;

/** A value cannot be written as JSON, or what was written cannot be read as its type. */
public final class UnreadableData extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public UnreadableData(String message, Throwable cause) {
    super(message, cause);
  }

  public UnreadableData(String message) {
    super(message);
  }
}
