package dev.holdfast.opensearch;

import dev.holdfast.HoldfastException;

/** The search engine has refused something, or could not be asked. */
public final class SearchEngineFailure extends HoldfastException {
  private static final long serialVersionUID = 1L;

  private final int status;

  SearchEngineFailure(String message, int status, Throwable cause) {
    super(message, cause);
    this.status = status;
  }

  SearchEngineFailure(String message, int status) {
    super(message);
    this.status = status;
  }

  /** What it answered, as in HTTP; 0 when there was no answer. */
  public int status() {
    return status;
  }
}
