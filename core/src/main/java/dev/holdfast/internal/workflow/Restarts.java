package dev.holdfast.internal.workflow;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.Entry.Kind;
import dev.holdfast.workflow.store.WorkflowStore;
import dev.holdfast.workflow.store.WorkflowStore.History;
import dev.holdfast.workflow.store.WorkflowStore.Status;
import java.time.Instant;
import java.util.List;

/** Has runs begin anew from a step, where that can be. */
public final class Restarts {
  private final WorkflowStore store;

  public Restarts(WorkflowStore store) {
    this.store = store;
  }

  /**
   * @return false when the run is neither stuck nor ended, or has changed meanwhile
   */
  public boolean restart(String id, String step, String who, String note) {
    Status status = store.statuses(List.of(id)).get(id);
    if (status == null || !(status.status() == RunStatus.STUCK || status.status().isFinal())) {
      return false;
    }
    if (status.parent() != null) {
      throw refused(id, step, "another run has started it: restart that one");
    }
    History history = store.histories(List.of(status.run())).get(status.run());
    Live live = Live.of(history == null ? List.of() : history.entries());
    live.refusal(step)
        .ifPresent(
            reason -> {
              throw refused(id, step, reason);
            });
    return store.restart(
        status.run(),
        live.last(),
        new Entry(live.last() + 1, Kind.RESTARTED, step, null, note, Instant.EPOCH),
        who,
        note);
  }

  private static InvalidConfiguration refused(String id, String step, String reason) {
    return new InvalidConfiguration(
        "Run %s cannot begin anew%s: %s. Nothing was changed."
            .formatted(id, step.isEmpty() ? "" : " from step " + step, reason));
  }
}
