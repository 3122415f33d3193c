package dev.holdfast.internal.workflow;

import dev.holdfast.Codec;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.Entry.Kind;
import dev.holdfast.workflow.store.WorkflowStore.Append;
import dev.holdfast.workflow.store.WorkflowStore.Change;
import dev.holdfast.workflow.store.WorkflowStore.Claimed;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An execution that ends where its journal does: each path of the function stops at the first thing
 * that is not recorded, nothing is called, undone or written, and it is kept where that was. All
 * else is as with any execution. Used once.
 */
final class ReplayExecution extends Execution {
  private final List<String> stoppedAt = new ArrayList<>();
  private Map<Integer, String> leftToUndo = Map.of();
  private @Nullable String stuck;
  private @Nullable String givenUp;
  private @Nullable RunStatus ended;
  private boolean parked;

  private ReplayExecution(Tools tools, Claimed run, Journal journal) {
    super(tools, new Tenure(1, 0, Duration.ofDays(36_500)), run, journal);
  }

  static ReplayExecution of(Codec codec, Export export) {
    List<Entry> entries = export.history().entries();
    Instant now = entries.isEmpty() ? Instant.EPOCH : entries.get(entries.size() - 1).at();
    Claimed run =
        new Claimed(
            1,
            1,
            export.id(),
            export.name(),
            export.version(),
            export.input(),
            export.operationId(),
            Map.of(),
            null,
            null,
            null,
            null);
    return new ReplayExecution(
        Tools.ofAReplay(codec, now), run, new Journal(1, 1, export.history()));
  }

  @Override
  Optional<Stop> beforeNew(String step) {
    Optional<Stop> refused = super.beforeNew(step);
    if (refused.isPresent()) {
      return refused;
    }
    stoppedAt.add(step);
    // Of this path alone: what other branches have recorded has to come by as well.
    return Optional.of(Stop.park(new Change.Park(null, List.of())));
  }

  @Override
  void undoUnknown() {
    leftToUndo = undos().left(true);
  }

  @Override
  void undoAll() {
    leftToUndo = undos().left(false);
  }

  @Override
  void append(Append append) {
    for (Entry entry : append.entries()) {
      if (entry.kind() == Kind.UNWINDING) {
        givenUp = String.valueOf(entry.note());
      }
    }
    Change change = append.change();
    if (change instanceof Change.Stick stick) {
      stuck = stick.reason();
    } else if (change instanceof Change.End end) {
      ended = end.status();
    } else if (change instanceof Change.Park) {
      parked = true;
    }
  }

  /** Nobody has to see to it, but whoever reads what the replay has found. */
  @Override
  void sayStuck(String reason) {}

  /** The steps before which the function was stopped, since they are not recorded to have ended. */
  List<String> stoppedAt() {
    return stoppedAt;
  }

  /** What would have been undone behind what is recorded, by the number of its beginning. */
  Map<Integer, String> leftToUndo() {
    return leftToUndo;
  }

  /** Why it would be left to a person. */
  @Nullable String stuck() {
    return stuck;
  }

  /** Why it would be undone, where that is not recorded. */
  @Nullable String givenUp() {
    return givenUp;
  }

  /** How it would end. */
  @Nullable RunStatus ended() {
    return ended;
  }

  boolean isParked() {
    return parked;
  }
}
