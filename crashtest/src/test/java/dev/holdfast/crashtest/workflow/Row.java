package dev.holdfast.crashtest.workflow;

import dev.holdfast.workflow.RunStatus;

/**
 * The run's row in the state table.
 *
 * @param executor the process that it belongs to; {@link #DEAD} for a number of one that has ended,
 *     {@link #NOBODY} where it is not running
 */
record Row(RunStatus status, int executor, boolean cancelled) {
  static final int NOBODY = -1;
  static final int DEAD = -2;

  Row claim(int by) {
    return new Row(RunStatus.RUNNING, by, cancelled);
  }

  Row leave(RunStatus value) {
    return new Row(value, NOBODY, cancelled);
  }

  Row cancel() {
    return new Row(status, executor, true);
  }

  boolean isOver() {
    return status.isFinal() || status == RunStatus.STUCK;
  }

  @Override
  public String toString() {
    String of =
        switch (executor) {
          case NOBODY -> "";
          case DEAD -> " by one that is dead";
          default -> " by " + Executor.name(executor);
        };
    return status + of + (cancelled ? ", to be cancelled" : "");
  }
}
