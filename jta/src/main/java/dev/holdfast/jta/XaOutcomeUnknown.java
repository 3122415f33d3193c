package dev.holdfast.jta;

import dev.holdfast.HoldfastException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The transaction has not plainly committed or rolled back: a participant ended its part against
 * the decision (a heuristic outcome), or the answer to the only commit was lost. Do not repeat the
 * work before looking at the participants whose outcome is {@link BranchOutcome#UNKNOWN}.
 */
public final class XaOutcomeUnknown extends HoldfastException {
  private static final long serialVersionUID = 1L;

  private final transient Map<String, BranchOutcome> branches;

  XaOutcomeUnknown(Map<String, BranchOutcome> branches, @Nullable Throwable cause) {
    super(
        "It is not known whether the transaction has committed. The participants: %s. Do not repeat the work before looking whether its effects are there; what is in doubt is ended by recovery, what is unknown or contradicts the rest is for a person to put right."
            .formatted(branches),
        cause);
    this.branches = Map.copyOf(branches);
  }

  /** What is known of each participant, by name. */
  public Map<String, BranchOutcome> branches() {
    return branches;
  }
}
