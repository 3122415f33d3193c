package dev.holdfast.workflow.store;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Something about a run that has become certain.
 *
 * @param seq from 1 in each run, without gaps
 * @param step the step that it is about; empty when it is about the run
 * @param value a JSON document: a result, a signal
 * @param note for people, or what the kind says
 * @param at by the database's clock; not before the moment at which it was appended for one that
 *     has not been yet
 */
public record Entry(
    int seq, Kind kind, String step, @Nullable String value, @Nullable String note, Instant at) {

  /** What has become certain. */
  public enum Kind {
    /** A call may have begun. */
    INTENT,
    /** The step has this value. */
    RESULT,
    /** The step has had and will have no effect. */
    REJECTED,
    /** What became of the call is not known, and the step is given up. */
    UNKNOWN,
    /** An attempt has ended without an effect, and there will be another. */
    ATTEMPT,
    /** What became of an attempt is not known, and it is repeated under its key. */
    REPEAT,
    /** It is asked what became of the call; what is not seen by the time in the note is a no. */
    DOUBT,
    /** The run waits at this step until the moment in the note. */
    WAIT,
    /** A child was started. */
    CHILD,
    /** From here on nothing is undone. */
    PIVOT,
    /** The run takes a change of the function. */
    PATCH,
    /** The run is given up for the reason in the note, and what it did is being undone. */
    UNWINDING,
    /** The step was undone. */
    UNDONE,
    /** An attempt to undo the step has failed, and there will be another. */
    UNDO_ATTEMPT,
    /** A person has decided to go on without undoing the step. */
    UNDO_SKIPPED,
    /** A person lets the run go on: attempts count anew, and what was rejected last is open. */
    RESUMED,
    /**
     * A person has the run begin anew from this step, or from its beginning where there is none:
     * what is recorded from there on does not count, and keys are new.
     */
    RESTARTED,
    /** The run has ended with this value. */
    COMPLETED,
    /** The run has ended, and what it did is undone. */
    FAILED,
    /** The run was cancelled, and what it did is undone. */
    CANCELLED,
    /** Of a later version of Holdfast, which has called it what the note says. Never written. */
    FOREIGN
  }
}
