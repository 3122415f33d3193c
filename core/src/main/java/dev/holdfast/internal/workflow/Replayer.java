package dev.holdfast.internal.workflow;

import dev.holdfast.Codec;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.Entry.Kind;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Runs a function against what was recorded of another, and says where they part. */
public final class Replayer {

  /**
   * What a replay has found.
   *
   * @param difference what the function does otherwise than is recorded
   * @param then what it would do next, or how it would end, for people
   */
  public record Outcome(Optional<String> difference, String then) {}

  private final Codec codec;
  private final Workflow<?, ?> workflow;
  private final Export export;
  private final ReplayExecution run;

  private Replayer(Codec codec, Workflow<?, ?> workflow, Export export) {
    this.codec = codec;
    this.workflow = workflow;
    this.export = export;
    this.run = ReplayExecution.of(codec, export);
  }

  /**
   * Calls the function once, on this thread. No step's action, lookup or compensation is called.
   */
  public static Outcome replay(Codec codec, Workflow<?, ?> workflow, Export export) {
    return new Replayer(codec, workflow, export).replay();
  }

  private Outcome replay() {
    run.run(workflow);
    return new Outcome(difference(), then());
  }

  private String then() {
    if (run.stuck() != null) {
      return "waits for a person";
    }
    if (!run.stoppedAt().isEmpty()) {
      return "comes to step " + String.join(" and ", run.stoppedAt());
    }
    return run.givenUp() != null ? "is given up, " + run.givenUp() : "ends " + run.ended();
  }

  private Optional<String> difference() {
    String stuck = run.stuck();
    if (stuck != null) {
      boolean isAsRecorded = stuck.startsWith(Execution.BEHIND_THE_PIVOT) && mayStop();
      return isAsRecorded ? Optional.empty() : Optional.of(stuck);
    }
    Optional<String> forgotten = run.journal().unvisited();
    if (forgotten.isPresent()) {
      return Optional.of(
          "The function comes to its end, or to step %s, without step %s, which the journal has."
              .formatted(run.stoppedAt(), forgotten.get()));
    }
    if (run.isParked()) {
      return hasEnded()
          ? Optional.of(
              "The run has ended %s, and the function asks for step %s, which the journal does not have."
                  .formatted(export.status(), String.join(" and ", run.stoppedAt())))
          : Optional.empty();
    }
    if (run.ended() == null) {
      return Optional.of("The function was interrupted, and is not compared.");
    }
    return run.givenUp() == null ? differenceAtTheEnd() : givenUpOtherwise();
  }

  /** Whether the function's failing behind its pivot is no surprise. */
  private boolean mayStop() {
    return export.status() == RunStatus.STUCK || export.isEndedByHand();
  }

  /** Whether the function itself has come to the run's end. */
  private boolean hasEnded() {
    return export.status().isFinal() && !export.isEndedByHand();
  }

  /** The function throws where nothing is recorded of its being given up. */
  private Optional<String> givenUpOtherwise() {
    boolean followsFromAStep =
        export
            .lastOfAStep()
            .map(last -> last.kind() == Kind.REJECTED || last.kind() == Kind.UNKNOWN)
            .orElse(false);
    if (export.isEndedByHand() || (followsFromAStep && !export.status().isFinal())) {
      return Optional.empty();
    }
    return Optional.of(
        "The function throws behind what is recorded, %s, where the run is %s: it would be given up, and undone (%s)."
            .formatted(
                export
                    .lastOfAStep()
                    .map(last -> "the last of it step " + last.step())
                    .orElse("nothing"),
                export.status(),
                run.givenUp()));
  }

  private Optional<String> differenceAtTheEnd() {
    Optional<String> undone = undoneOtherwise();
    return undone.isPresent() ? undone : unreadableResult();
  }

  private Optional<String> unreadableResult() {
    String value = export.last(Kind.COMPLETED).map(Entry::value).orElse(null);
    if (value == null || export.status() != RunStatus.COMPLETED) {
      return Optional.empty();
    }
    try {
      codec.read(value, workflow.output());
      return Optional.empty();
    } catch (RuntimeException e) {
      return Optional.of("The run's result: " + Execution.text(e));
    }
  }

  /** What was undone is what would be undone now, as far as the history has come with it. */
  private Optional<String> undoneOtherwise() {
    Map<Integer, String> left = run.leftToUndo();
    if (hasEnded() && !left.isEmpty()) {
      return Optional.of(
          "The run has ended %s, and the function would undo %s as well."
              .formatted(export.status(), steps(left.values())));
    }
    Map<String, Integer> begun = new HashMap<>();
    Set<String> attempted = new HashSet<>();
    int undoneFrom = Integer.MAX_VALUE;
    for (Entry entry : export.entries()) {
      begun.putIfAbsent(entry.step(), entry.seq());
      switch (entry.kind()) {
        case UNDO_ATTEMPT -> attempted.add(entry.step());
        case UNDONE, UNDO_SKIPPED -> {
          attempted.remove(entry.step());
          undoneFrom = Math.min(undoneFrom, Objects.requireNonNull(begun.get(entry.step())));
        }
        default -> {}
      }
    }
    if (run.journal().unwinding() == null || export.isEndedByHand()) {
      return Optional.empty();
    }
    attempted.removeAll(left.values());
    if (!attempted.isEmpty()) {
      return Optional.of(
          "The run is undoing %s, and the function says no more how.".formatted(steps(attempted)));
    }
    Map<Integer, String> passedOver = new HashMap<>(left);
    int from = undoneFrom;
    passedOver.keySet().removeIf(seq -> seq < from);
    return passedOver.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "The run is being undone, and has passed over %s, which the function would undo."
                .formatted(steps(passedOver.values())));
  }

  private static String steps(Collection<String> names) {
    return "step " + String.join(", ", new TreeSet<>(names));
  }
}
