package dev.holdfast.cli.advise;

/** Arguments that make no question; the message is for whoever typed them. */
final class NotUnderstood extends RuntimeException {
  private static final long serialVersionUID = 1;

  NotUnderstood(String message) {
    super(message);
  }
}
