package dev.holdfast.cli;

import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.RunCatalog.Audited;
import dev.holdfast.workflow.store.RunCatalog.Listed;
import dev.holdfast.workflow.store.WorkflowStore.History;
import dev.holdfast.workflow.store.WorkflowStore.Signal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A run of a workflow, as text and as JSON. */
final class RunText {
  private static final int VALUE_AT_MOST = 100;
  private static final History NOTHING = new History(List.of(), List.of());

  private final Listed run;
  private final History history;
  private final List<Audited> audit;

  RunText(Listed run, @Nullable History history, List<Audited> audit) {
    this.run = run;
    this.history = Objects.requireNonNullElse(history, NOTHING);
    this.audit = audit;
  }

  static String table(List<Listed> runs) {
    if (runs.isEmpty()) {
      return "There is no such run.\n";
    }
    return Table.of(
        List.of("id", "workflow", "status", "since", "about"),
        runs.stream()
            .map(
                run ->
                    List.of(
                        run.id(),
                        run.name() + " " + run.version(),
                        status(run),
                        run.changedAt().toString(),
                        about(run)))
            .toList());
  }

  private static String status(Listed run) {
    return run.status().name().toLowerCase(Locale.ROOT) + (run.isUnwinding() ? ", undoing" : "");
  }

  /** What one has to know of it. */
  private static String about(Listed run) {
    if (run.reason() != null) {
      return shortened(run.reason());
    }
    return switch (run.status()) {
      case RUNNING -> "by " + (run.executor() == null ? "a process that is gone" : run.executor());
      case PARKED -> waits(run);
      default -> run.cancelled() == null ? "" : shortened(run.cancelled());
    };
  }

  private static String waits(Listed run) {
    String queue = run.isHeld() ? "in queue " + run.queue() : "";
    String signals =
        run.waitsFor().isEmpty() ? "" : "for " + String.join(", ", run.waitsFor()) + " ";
    String due = run.dueAt() == null ? "" : "until " + run.dueAt();
    return (queue.isEmpty() ? signals : queue + " ") + due;
  }

  private static String shortened(@Nullable String text) {
    if (text == null) {
      return "";
    }
    String line = text.replace('\n', ' ');
    return line.length() <= VALUE_AT_MOST ? line : line.substring(0, VALUE_AT_MOST) + "...";
  }

  static Map<String, Object> json(Listed run) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("id", run.id());
    value.put("workflow", run.name());
    value.put("version", run.version());
    value.put("status", run.status().name());
    value.put("undoing", run.isUnwinding());
    value.put("reason", run.reason());
    value.put("cancelled", run.cancelled());
    value.put("due_at", text(run.dueAt()));
    value.put("waits_for", run.waitsFor());
    value.put("deadline", text(run.deadline()));
    value.put("queue", run.queue());
    value.put("held", run.isHeld());
    value.put("executor", run.executor());
    value.put("operation", run.operationId());
    value.put("attributes", run.attributes());
    value.put("started_at", text(run.startedAt()));
    value.put("changed_at", text(run.changedAt()));
    return value;
  }

  private static @Nullable String text(@Nullable Object value) {
    return value == null ? null : value.toString();
  }

  Map<String, Object> json() {
    Map<String, Object> value = json(run);
    value.put("input", run.input());
    value.put("journal", history.entries().stream().map(RunText::json).toList());
    value.put(
        "signals",
        history.signals().stream().map(signal -> Map.of("name", signal.name())).toList());
    value.put("audit", audit.stream().map(RunText::json).toList());
    return value;
  }

  private static Map<String, Object> json(Entry entry) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("seq", entry.seq());
    value.put("at", entry.at().toString());
    value.put("kind", entry.kind().name());
    value.put("step", entry.step());
    value.put("value", entry.value());
    value.put("note", entry.note());
    return value;
  }

  private static Map<String, Object> json(Audited audited) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("at", audited.at().toString());
    value.put("who", audited.who());
    value.put("action", audited.action());
    value.put("note", audited.note());
    return value;
  }

  String text() {
    StringBuilder text = new StringBuilder();
    text.append(
        "Run %s of %s %d, operation %s: %s %s\n"
            .formatted(
                run.id(),
                run.name(),
                run.version(),
                run.operationId(),
                status(run),
                run.reason() == null ? about(run) : ""));
    if (run.reason() != null) {
      text.append(run.reason()).append('\n');
    }
    if (run.deadline() != null) {
      text.append("Deadline: ").append(run.deadline()).append('\n');
    }
    text.append("Input: ").append(shortened(run.input())).append("\n\n");
    text.append(
        Table.of(
            List.of("seq", "at", "what", "step", "value", "note"),
            history.entries().stream().map(RunText::row).toList()));
    if (!history.signals().isEmpty()) {
      text.append("\nSignals that nobody has received: ")
          .append(String.join(", ", history.signals().stream().map(Signal::name).toList()))
          .append('\n');
    }
    if (!audit.isEmpty()) {
      text.append('\n')
          .append(
              Table.of(
                  List.of("at", "who", "did", "why"),
                  audit.stream()
                      .map(
                          each ->
                              List.of(
                                  each.at().toString(),
                                  each.who(),
                                  each.action(),
                                  shortened(each.note())))
                      .toList()));
    }
    return text.toString();
  }

  private static List<String> row(Entry entry) {
    return List.of(
        Integer.toString(entry.seq()),
        entry.at().toString(),
        entry.kind().name().toLowerCase(Locale.ROOT),
        entry.step(),
        shortened(entry.value()),
        shortened(entry.note()));
  }
}
