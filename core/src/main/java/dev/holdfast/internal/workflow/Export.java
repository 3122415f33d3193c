package dev.holdfast.internal.workflow;

import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.Entry.Kind;
import dev.holdfast.workflow.store.WorkflowStore.History;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A run as it is written to a file.
 *
 * @param input a JSON document, as it is recorded
 * @param reason why it is stuck or has failed
 */
public record Export(
    String id,
    String name,
    int version,
    String operationId,
    RunStatus status,
    @Nullable String reason,
    String input,
    History history) {

  /** What is recorded and counts: not what a restart has taken back. */
  List<Entry> entries() {
    return Live.of(history.entries()).entries().stream().map(Live.Dated::entry).toList();
  }

  /** What is recorded last of any step. */
  Optional<Entry> lastOfAStep() {
    return entries().stream()
        .filter(entry -> !entry.step().isEmpty())
        .reduce((one, later) -> later);
  }

  /** What is recorded last of this kind. */
  Optional<Entry> last(Kind kind) {
    return entries().stream().filter(entry -> entry.kind() == kind).reduce((one, later) -> later);
  }

  /** Whether a person has ended it, wherever it was: the function need not have come to its end. */
  boolean isEndedByHand() {
    return switch (status) {
      case COMPLETED -> last(Kind.COMPLETED).map(end -> end.note() != null).orElse(false);
      case FAILED ->
          !last(Kind.FAILED).map(Entry::note).equals(last(Kind.UNWINDING).map(Entry::note));
      case CANCELLED, PARKED, RUNNING, STUCK -> false;
    };
  }
}
