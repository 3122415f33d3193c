package dev.holdfast.internal.workflow;

import dev.holdfast.internal.Doorbell;
import dev.holdfast.workflow.store.WorkflowStore.Change;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** Waits between attempts: short ones on the thread, long ones as a row. */
final class Pause {
  private Pause() {}

  /**
   * Waits, between half and all of it, so that runs that failed together do not come back together.
   *
   * @throws Stop when the run is parked for the time instead, or this process ends
   */
  static void of(Execution execution, Duration wait) {
    Duration jittered =
        wait.dividedBy(2).plusNanos(ThreadLocalRandom.current().nextLong(1 + wait.toNanos() / 2));
    exactly(execution, jittered);
  }

  /** As {@link #of}, all of it. */
  static void exactly(Execution execution, Duration wait) {
    if (wait.compareTo(Execution.WAITS_HERE) > 0) {
      throw Stop.park(new Change.Park(execution.now().plus(wait), List.of()));
    }
    try {
      new Doorbell().await(wait);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw execution.fatal(Stop.lost("interrupted"));
    }
    execution.tenure().require();
  }
}
