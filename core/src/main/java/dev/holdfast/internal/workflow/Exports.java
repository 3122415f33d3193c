package dev.holdfast.internal.workflow;

import dev.holdfast.UnreadableData;
import dev.holdfast.workflow.store.WorkflowStore;
import dev.holdfast.workflow.store.WorkflowStore.History;
import dev.holdfast.workflow.store.WorkflowStore.Outline;
import dev.holdfast.workflow.store.WorkflowStore.Status;
import java.util.List;
import java.util.Optional;

/** Reads runs, whatever they have recorded, as JSON. */
public final class Exports {
  private static final int ENTRIES_AT_MOST = 100_000;
  private static final long CHARACTERS_AT_MOST = 50_000_000;

  private Exports() {}

  /**
   * @return empty when there is no run of this id
   * @throws UnreadableData when it is too large
   */
  public static Optional<String> of(WorkflowStore store, String id) {
    Optional<Outline> outline = store.outline(id);
    Status status = store.statuses(List.of(id)).get(id);
    if (outline.isEmpty() || status == null) {
      return Optional.empty();
    }
    Outline run = outline.get();
    if (run.entries() > ENTRIES_AT_MOST || run.characters() > CHARACTERS_AT_MOST) {
      throw new UnreadableData(
          "Run %s has %,d entries with %,d characters, and is exported up to %,d and %,d. Nothing was exported."
              .formatted(id, run.entries(), run.characters(), ENTRIES_AT_MOST, CHARACTERS_AT_MOST));
    }
    History history = store.histories(List.of(run.run())).get(run.run());
    return Optional.of(
        ExportJson.write(
            new Export(
                id,
                status.name(),
                status.version(),
                run.operationId(),
                status.status(),
                status.reason(),
                run.input(),
                history == null ? new History(List.of(), List.of()) : history)));
  }
}
