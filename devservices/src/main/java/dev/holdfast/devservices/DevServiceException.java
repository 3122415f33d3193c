package dev.holdfast.devservices;

/**
 * A development server could not be started, stopped or reached. The message says what happened,
 * what is true now and what to do, and ends with the last lines of the server's log where there is
 * one.
 */
public final class DevServiceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  DevServiceException(String message) {
    super(message);
  }

  DevServiceException(String message, Throwable cause) {
    super(message, cause);
  }
}
