package dev.holdfast.workflow;

import dev.holdfast.HoldfastException;

/**
 * Thrown by a call when it is certain that no attempt, earlier ones included, had or will have an
 * effect: it was refused for what it is, as a card that is declined. Not for a timeout, a
 * connection that broke, an answer that cannot be read, or an error of the other side's: of those
 * it is open, and any other exception says so. An answer to the second attempt says nothing of the
 * first unless both had one key and the other side keeps it.
 */
public final class Rejected extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public Rejected(String reason) {
    super(reason);
  }
}
