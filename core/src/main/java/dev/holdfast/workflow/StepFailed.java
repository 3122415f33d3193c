package dev.holdfast.workflow;

import dev.holdfast.HoldfastException;
import org.jspecify.annotations.Nullable;

/**
 * A step has ended without a result, and will stay so: recorded, and thrown again whenever the
 * function comes by. A function may catch it and go another way.
 */
public final class StepFailed extends HoldfastException {
  private static final long serialVersionUID = 1L;

  private final String step;
  private final Kind kind;
  private final String reason;

  /** What is known of its effect. */
  public enum Kind {
    /** There is none and will be none. */
    REJECTED,
    /** It may be there; what undoes it is called with nothing. */
    UNKNOWN
  }

  public StepFailed(String step, Kind kind, String reason, @Nullable Throwable cause) {
    super(
        switch (kind) {
          case REJECTED -> "Step %s had no effect: %s".formatted(step, reason);
          case UNKNOWN ->
              "What became of step %s is not known, and it will be undone: %s"
                  .formatted(step, reason);
        },
        cause);
    this.step = step;
    this.kind = kind;
    this.reason = reason;
  }

  /** Its name, with its path and how often the name came before. */
  public String step() {
    return step;
  }

  public Kind kind() {
    return kind;
  }

  /** What was said to it, for people. */
  public String reason() {
    return reason;
  }
}
