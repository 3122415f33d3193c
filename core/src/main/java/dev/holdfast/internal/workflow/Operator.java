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
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a person decides about a run: checked against its journal, and written down with who did it
 * and why. Values are JSON documents. Thread-safe.
 */
public final class Operator {
  private final WorkflowStore store;

  public Operator(WorkflowStore store) {
    this.store = store;
  }

  public boolean cancel(String id, String reason, String who) {
    return store.cancel(id, reason, who);
  }

  public boolean retry(String id, String who, String note) {
    return store.resume(id, null, List.of(), who, note);
  }

  public boolean resolveHappened(String id, String step, String json, String who, String note) {
    Live live = stuck(id, each -> each.refusalToResolve(step));
    return resume(id, live, entry(Kind.RESULT, step, json, note), who, note);
  }

  public boolean resolveRejected(String id, String step, String reason, String who) {
    Live live = stuck(id, each -> each.refusalToResolve(step));
    return resume(id, live, entry(Kind.REJECTED, step, null, reason), who, reason);
  }

  public boolean skipUndo(String id, String step, String who, String note) {
    Live live = stuck(id, each -> each.refusalToSkip(step));
    return resume(id, live, entry(Kind.UNDO_SKIPPED, step, null, note), who, note);
  }

  /** Unless the run has changed since it was looked at: somebody else may have said otherwise. */
  private boolean resume(String id, @Nullable Live seen, Entry entry, String who, String note) {
    return seen != null && store.resume(id, seen.last(), List.of(entry), who, note);
  }

  public boolean complete(String id, String json, String who, String note) {
    return store.end(id, RunStatus.COMPLETED, json, who, note);
  }

  public boolean fail(String id, String who, String note) {
    return store.end(id, RunStatus.FAILED, null, who, note);
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
      throw refused(id, "another run has started it: restart that one");
    }
    Live live = live(status);
    live.refusalToRestart(step)
        .ifPresent(
            reason -> {
              throw refused(id, reason);
            });
    return store.restart(
        status.run(),
        live.last(),
        new Entry(live.last() + 1, Kind.RESTARTED, step, null, note, Instant.EPOCH),
        who,
        note);
  }

  private static Entry entry(Kind kind, String step, @Nullable String json, String note) {
    return new Entry(1, kind, step, json, note, Instant.EPOCH);
  }

  /** The run's journal, where nothing is wrong with what is asked; null when it is not stuck. */
  private @Nullable Live stuck(String id, Function<Live, Optional<String>> refusal) {
    Status status = store.statuses(List.of(id)).get(id);
    if (status == null || status.status() != RunStatus.STUCK) {
      return null;
    }
    Live live = live(status);
    refusal
        .apply(live)
        .ifPresent(
            reason -> {
              throw refused(id, reason);
            });
    return live;
  }

  private Live live(Status status) {
    History history = store.histories(List.of(status.run())).get(status.run());
    return Live.of(history == null ? List.of() : history.entries());
  }

  private static InvalidConfiguration refused(String id, String reason) {
    return new InvalidConfiguration(
        "That cannot be done to run %s: %s. Nothing was changed.".formatted(id, reason));
  }
}
