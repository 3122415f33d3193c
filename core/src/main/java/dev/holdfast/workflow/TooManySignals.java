package dev.holdfast.workflow;

import dev.holdfast.HoldfastException;

/** A run has been sent more than it has received. */
public final class TooManySignals extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public TooManySignals(String id, int bound) {
    super(
        "The run %s has been sent %,d signals that it has not received, which is the bound. Nothing was sent. Look whether it waits for signals of this name, and send what is many by other means."
            .formatted(id, bound));
  }
}
