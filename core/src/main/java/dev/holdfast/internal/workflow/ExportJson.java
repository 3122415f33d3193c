package dev.holdfast.internal.workflow;

import dev.holdfast.UnreadableData;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.Entry.Kind;
import dev.holdfast.workflow.store.WorkflowStore.History;
import dev.holdfast.workflow.store.WorkflowStore.Signal;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Exported runs as JSON. Inputs and results are in it as the codec has written them, so that people
 * can read them, and come out of it character by character as they went in. One line for each
 * entry, so that two of them can be compared line by line.
 */
public final class ExportJson {
  /** Raised when a reader of the former one would misunderstand. */
  private static final int FORMAT = 1;

  private ExportJson() {}

  /** Ends with a line feed. */
  public static String write(Export run) {
    StringBuilder json = new StringBuilder("{\n");
    json.append("\"format\":").append(FORMAT);
    member(json.append(",\n"), "id", run.id());
    member(json.append(",\n"), "name", run.name());
    json.append(",\n\"version\":").append(run.version());
    member(json.append(",\n"), "operation", run.operationId());
    member(json.append(",\n"), "status", run.status().name());
    member(json.append(",\n"), "reason", run.reason());
    json.append(",\n\"input\":").append(run.input());
    json.append(",\n\"entries\":[");
    String between = "\n";
    for (Entry entry : run.history().entries()) {
      entry(json.append(between), entry);
      between = ",\n";
    }
    json.append("],\n\"signals\":[");
    between = "\n";
    for (Signal signal : run.history().signals()) {
      member(json.append(between).append('{'), "name", signal.name());
      json.append(",\"value\":").append(signal.value());
      member(json.append(','), "note", signal.note());
      json.append('}');
      between = ",\n";
    }
    return json.append("]\n}\n").toString();
  }

  private static void entry(StringBuilder json, Entry entry) {
    json.append("{\"seq\":").append(entry.seq());
    // One of a kind that this version does not know has its name in the note.
    boolean isForeign = entry.kind() == Kind.FOREIGN;
    member(json.append(','), "kind", isForeign ? entry.note() : entry.kind().name());
    member(json.append(','), "step", entry.step());
    json.append(",\"value\":").append(entry.value());
    member(json.append(','), "note", isForeign ? null : entry.note());
    member(json.append(','), "at", entry.at().toString());
    json.append('}');
  }

  private static void member(StringBuilder json, String name, @Nullable String value) {
    json.append('"').append(name).append("\":");
    if (value == null) {
      json.append("null");
    } else {
      JsonText.quote(json, value);
    }
  }

  /**
   * @throws UnreadableData when this is no exported run, or one of a later format
   */
  public static Export read(String json) {
    try {
      return run(JsonText.object(json));
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new UnreadableData(
          "This is no exported run (%s). Export it anew.".formatted(e.getMessage()), e);
    }
  }

  private static Export run(Map<String, String> run) {
    int format = Integer.parseInt(get(run, "format"));
    if (format != FORMAT) {
      throw new UnreadableData(
          "The run was exported in format %d, and this version reads format %d. Export it anew, or read it with the version that wrote it."
              .formatted(format, FORMAT));
    }
    List<Entry> entries = new ArrayList<>();
    for (String each : JsonText.array(get(run, "entries"))) {
      entries.add(entry(JsonText.object(each)));
    }
    List<Signal> signals = new ArrayList<>();
    for (String each : JsonText.array(get(run, "signals"))) {
      Map<String, String> signal = JsonText.object(each);
      signals.add(
          new Signal(
              signals.size() + 1L,
              text(signal, "name"),
              raw(signal, "value"),
              textOrNull(signal, "note")));
    }
    return new Export(
        text(run, "id"),
        text(run, "name"),
        Integer.parseInt(get(run, "version")),
        text(run, "operation"),
        RunStatus.valueOf(text(run, "status")),
        textOrNull(run, "reason"),
        get(run, "input"),
        new History(entries, signals));
  }

  private static Entry entry(Map<String, String> entry) {
    String kind = text(entry, "kind");
    boolean isKnown = Arrays.stream(Kind.values()).anyMatch(each -> each.name().equals(kind));
    return new Entry(
        Integer.parseInt(get(entry, "seq")),
        isKnown ? Kind.valueOf(kind) : Kind.FOREIGN,
        text(entry, "step"),
        raw(entry, "value"),
        isKnown ? textOrNull(entry, "note") : kind,
        Instant.parse(text(entry, "at")));
  }

  private static String get(Map<String, String> object, String name) {
    String raw = object.get(name);
    if (raw == null) {
      throw new IllegalArgumentException("it has no \"" + name + "\"");
    }
    return raw;
  }

  private static @Nullable String raw(Map<String, String> object, String name) {
    String raw = get(object, name);
    return raw.equals("null") ? null : raw;
  }

  private static String text(Map<String, String> object, String name) {
    return JsonText.string(get(object, name));
  }

  private static @Nullable String textOrNull(Map<String, String> object, String name) {
    String raw = raw(object, name);
    return raw == null ? null : JsonText.string(raw);
  }
}
