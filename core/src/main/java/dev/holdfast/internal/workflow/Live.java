package dev.holdfast.internal.workflow;

import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.Entry.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The entries of a journal that count: without those that a restart has taken back.
 *
 * @param last the number of the last entry of all
 * @param restarts how often the run was restarted
 */
record Live(List<Dated> entries, int last, int restarts) {

  /**
   * An entry.
   *
   * @param generation how often the run had been restarted before it
   */
  record Dated(Entry entry, int generation) {}

  static Live of(List<Entry> journal) {
    List<Dated> entries = new ArrayList<>();
    int last = 0;
    int restarts = 0;
    for (Entry entry : journal) {
      last = Math.max(last, entry.seq());
      if (entry.kind() == Kind.RESTARTED) {
        int from = first(entries, entry.step()).orElse(Integer.MAX_VALUE);
        entries.removeIf(each -> each.entry().seq() >= from);
        restarts++;
      } else {
        entries.add(new Dated(entry, restarts));
      }
    }
    return new Live(entries, last, restarts);
  }

  /** Where a step begins, with the branches that it has; the run itself where none is named. */
  private static OptionalInt first(List<Dated> entries, String step) {
    return entries.stream()
        .map(Dated::entry)
        .filter(entry -> step.isEmpty() || belongs(entry.step(), step))
        .mapToInt(Entry::seq)
        .min();
  }

  private static boolean belongs(String each, String step) {
    return each.equals(step) || each.startsWith(step + "[");
  }

  /** Why the run cannot begin anew from a step; empty when it can. */
  Optional<String> refusalToRestart(String step) {
    OptionalInt first = first(entries, step);
    if (first.isEmpty()) {
      return Optional.of(
          step.isEmpty()
              ? "nothing is recorded of it"
              : "it has no step %s: there are %s".formatted(step, names()));
    }
    if (step.indexOf('/') >= 0) {
      return Optional.of("step " + step + " is in a branch: name the step that has the branches");
    }
    int from = first.getAsInt();
    for (Dated each : entries) {
      Entry entry = each.entry();
      boolean isUndone = entry.kind() == Kind.UNDONE || entry.kind() == Kind.UNDO_SKIPPED;
      if (isUndone && first(entries, entry.step()).orElse(from) < from) {
        return Optional.of(
            "step %s, which comes before, is undone: name that one, or one before it"
                .formatted(entry.step()));
      }
    }
    return inDoubt().stream()
        .filter(open -> first(entries, open).orElse(0) >= from)
        .findFirst()
        .map(open -> "what became of step " + open + " is not known: say that first (resolve)");
  }

  /** Why a person cannot say what became of a step; empty when that can be said. */
  Optional<String> refusalToResolve(String step) {
    Recorded recorded = recorded(step);
    if (recorded.end() != null) {
      return wasSaidLast(step, recorded)
          ? Optional.empty()
          : Optional.of("step %s has ended (%s)".formatted(step, recorded.end().kind()));
    }
    List<String> open = inDoubt();
    if (open.isEmpty() && isUnknown(step)) {
      return Optional.of("it has no step %s: there are %s".formatted(step, names()));
    }
    return open.isEmpty() || open.contains(step)
        ? Optional.empty()
        : Optional.of("step %s is not in doubt, %s".formatted(step, String.join(", ", open)));
  }

  /**
   * Whether a person has said what became of a call that was in doubt, and the function has not
   * come further: what was said may be wrong, or not be readable.
   */
  private boolean wasSaidLast(String step, Recorded recorded) {
    if (!recorded.isOpen() || recorded.isUndone()) {
      return false;
    }
    Entry end = Objects.requireNonNull(recorded.end());
    boolean wasSaid =
        end.note() != null
            && entries.stream()
                .map(Dated::entry)
                .anyMatch(each -> each.kind() == Kind.RESUMED && each.seq() == end.seq() - 1);
    return wasSaid
        && entries.stream()
            .map(Dated::entry)
            .noneMatch(
                each ->
                    each.seq() > end.seq()
                        && !each.step().isEmpty()
                        && Journal.path(step).startsWith(Journal.path(each.step())));
  }

  private boolean isUnknown(String step) {
    return entries.stream().noneMatch(each -> each.entry().step().equals(step));
  }

  /** Why a step cannot be left as it is; empty when it can. */
  Optional<String> refusalToSkip(String step) {
    if (isUnknown(step)) {
      return Optional.of("it has no step %s: there are %s".formatted(step, names()));
    }
    // One that was given up as unknown is undone also where the run goes on.
    if (!recorded(step).is(Kind.UNKNOWN)
        && entries.stream().noneMatch(each -> each.entry().kind() == Kind.UNWINDING)) {
      return Optional.of("it is not being undone");
    }
    return recorded(step).isUndone()
        ? Optional.of("step " + step + " is undone already")
        : Optional.empty();
  }

  private Recorded recorded(String step) {
    Recorded recorded = new Recorded(1, 0);
    entries.stream()
        .map(Dated::entry)
        .filter(entry -> entry.step().equals(step))
        .forEach(recorded::add);
    return recorded;
  }

  private List<String> inDoubt() {
    return entries.stream()
        .map(each -> each.entry().step())
        .filter(step -> !step.isEmpty())
        .distinct()
        .filter(
            step -> {
              Recorded recorded = recorded(step);
              return recorded.end() == null && recorded.isOpen();
            })
        .toList();
  }

  private List<String> names() {
    return entries.stream()
        .map(each -> each.entry().step())
        .filter(step -> !step.isEmpty() && step.indexOf('/') < 0)
        .distinct()
        .limit(50)
        .toList();
  }
}
