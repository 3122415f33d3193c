package dev.holdfast.jta;

import dev.holdfast.HoldfastException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The transaction was rolled back: a participant could not prepare, or the transaction took longer
 * than its timeout. None of its effects is anywhere, and it may be tried again as a whole.
 */
public final class XaRolledBack extends HoldfastException {
  private static final long serialVersionUID = 1L;

  private final transient Map<String, BranchOutcome> branches;

  XaRolledBack(Map<String, BranchOutcome> branches, @Nullable Throwable cause) {
    super(
        "The transaction was rolled back, and none of its effects is anywhere. The participants: %s."
                .formatted(branches)
            + (branches.containsValue(BranchOutcome.IN_DOUBT)
                ? " What is in doubt there is rolled back by recovery; until then it keeps its locks."
                : "")
            + " The cause says why; the work may be tried again as a whole.",
        cause);
    this.branches = Map.copyOf(branches);
  }

  /** Participants by name; those in doubt are yet to be rolled back by recovery. */
  public Map<String, BranchOutcome> branches() {
    return branches;
  }
}
