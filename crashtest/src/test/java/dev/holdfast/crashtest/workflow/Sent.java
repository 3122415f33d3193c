package dev.holdfast.crashtest.workflow;

import java.util.List;

/**
 * Something that was sent to the database and is not over there.
 *
 * @param executor in whose name: a process, or {@link Row#DEAD}
 * @param attached whether that process waits for the reply
 * @param locked whether it is past the fence, so that it holds the run's row
 * @param base how many entries the journal has below what it appends
 * @param work what is committed with it
 * @param step of the work
 */
record Sent(
    int executor,
    boolean attached,
    boolean locked,
    int base,
    List<Line> lines,
    Work work,
    int step,
    Change change) {

  /** Rows of the user's own, in the same commit. */
  enum Work {
    NONE,
    DO,
    UNDO,
    /** What is put in the place of a record whose reply was lost. */
    INSTEAD
  }

  /** What becomes of the run's row. */
  enum Change {
    KEEP,
    PARK,
    STICK,
    COMPLETE,
    FAIL,
    CANCEL
  }

  Sent lock() {
    return new Sent(executor, attached, true, base, lines, work, step, change);
  }

  Sent detach() {
    return new Sent(executor, false, locked, base, lines, work, step, change);
  }

  Sent ofTheDead() {
    return new Sent(Row.DEAD, false, locked, base, lines, work, step, change);
  }

  boolean isTransaction() {
    return work == Work.DO || work == Work.UNDO;
  }

  String what() {
    String text =
        switch (work) {
          case NONE -> "append";
          case DO -> "transaction of step " + step;
          case UNDO -> "transaction that undoes step " + step;
          case INSTEAD -> "entry in the place of that of step " + step;
        };
    return text
        + (lines.isEmpty() ? "" : " " + lines)
        + (change == Change.KEEP ? "" : ", " + change);
  }

  @Override
  public String toString() {
    String who = executor == Row.DEAD ? "one that is dead" : Executor.name(executor);
    return what()
        + " of "
        + who
        + (attached ? "" : " (nobody waits)")
        + (locked ? " (past the fence)" : "");
  }
}
