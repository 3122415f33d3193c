package dev.holdfast.internal.workflow;

import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.Entry.Kind;
import java.time.Instant;
import java.util.Optional;

/**
 * What the journal has of a step, read by the engine's own {@link Recorded}, for a model that has
 * no times.
 *
 * @param open whether an attempt may have had an effect that is not known
 * @param interrupted whether that is an attempt that is not counted yet
 * @param asked whether it is recorded from when on silence is a no
 */
public record StepInJournal(
    boolean isThere,
    Optional<Kind> end,
    int attempts,
    boolean open,
    boolean interrupted,
    boolean asked,
    int undoAttempts,
    boolean undone) {
  private static final String NEVER = Instant.EPOCH.toString();

  /** Reads entries, all of one step. */
  public static StepInJournal read(Iterable<Kind> kinds) {
    Recorded recorded = new Recorded(1, 0);
    boolean isThere = false;
    int seq = 0;
    for (Kind kind : kinds) {
      seq++;
      isThere = true;
      recorded.add(new Entry(seq, kind, "step", null, note(kind), Instant.EPOCH));
    }
    return new StepInJournal(
        isThere,
        Optional.ofNullable(recorded.end()).map(Entry::kind),
        recorded.attempts() + (recorded.isInterrupted() ? 1 : 0),
        recorded.isOpen(),
        recorded.isInterrupted(),
        recorded.settlesAt() != null,
        recorded.undoAttempts(),
        recorded.isUndone());
  }

  private static String note(Kind kind) {
    return kind == Kind.DOUBT ? NEVER : NEVER + " for a reason";
  }
}
