package dev.holdfast.crashtest.workflow;

import dev.holdfast.workflow.store.Entry.Kind;

/**
 * An entry of the journal.
 *
 * @param step which step it is about, from 0; -1 when it is about the run
 */
record Line(Kind kind, int step) {
  static Line ofRun(Kind kind) {
    return new Line(kind, -1);
  }

  @Override
  public int hashCode() {
    return 31 * kind.hashCode() + step;
  }

  @Override
  public String toString() {
    return step < 0 ? kind.name() : kind + " " + step;
  }
}
