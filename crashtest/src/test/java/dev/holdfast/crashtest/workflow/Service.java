package dev.holdfast.crashtest.workflow;

/**
 * What is there of a step: at whoever is called, or in the database.
 *
 * @param executions how often it was done, undone or not
 * @param undone whether it was undone behind that
 * @param refused whether it is certain that its key is not executed any more
 * @param late requests that nobody waits for and that may arrive yet
 * @param lateUndo whether one of them is to undo it
 * @param settled whether by what the journal has silence is a no by now
 */
record Service(
    int executions, boolean undone, boolean refused, int late, boolean lateUndo, boolean settled) {
  static final Service NEW = new Service(0, false, false, 0, false, false);

  Service execute(boolean absorbs) {
    return refused || (absorbs && executions > 0)
        ? this
        : new Service(executions + 1, undone, false, late, lateUndo, settled);
  }

  /**
   * @param remembers whether a key that is undone before it was executed never is
   */
  Service undo(boolean remembers) {
    return executions > 0
        ? new Service(executions, true, refused, late, lateUndo, settled)
        : new Service(executions, undone, refused || remembers, late, lateUndo, settled);
  }

  Service refuse() {
    return new Service(executions, undone, true, late, lateUndo, settled);
  }

  Service late(int more) {
    return new Service(executions, undone, refused, late + more, lateUndo, settled);
  }

  Service lateUndo(boolean value) {
    return new Service(executions, undone, refused, late, value, settled);
  }

  Service settled(boolean value) {
    return new Service(executions, undone, refused, late, lateUndo, value);
  }

  boolean isThere() {
    return executions > 0 && !undone;
  }

  @Override
  public int hashCode() {
    int bits = executions + 4 * late;
    bits = 2 * bits + (undone ? 1 : 0);
    bits = 2 * bits + (refused ? 1 : 0);
    bits = 2 * bits + (lateUndo ? 1 : 0);
    return 2 * bits + (settled ? 1 : 0);
  }

  @Override
  public String toString() {
    String done =
        executions == 0 ? "nothing" : executions == 1 ? "done" : "done " + executions + " times";
    return done
        + (undone ? ", undone" : "")
        + (refused ? ", key refused" : "")
        + (late > 0 ? ", " + late + " on the way" : "")
        + (lateUndo ? ", an undo on the way" : "");
  }
}
