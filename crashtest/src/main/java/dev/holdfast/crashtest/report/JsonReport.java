package dev.holdfast.crashtest.report;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Everything that was found, for other programs. */
public final class JsonReport {
  private JsonReport() {}

  /** Renders operations as one JSON document. */
  public static String render(List<ExplorationReport> reports) {
    return json(
            fields(
                "crash_lab",
                1,
                "passed",
                reports.stream().allMatch(ExplorationReport::passed),
                "operations",
                reports.stream().map(JsonReport::operation).toList()))
        + "\n";
  }

  private static Map<String, @Nullable Object> operation(ExplorationReport report) {
    return fields(
        "operation",
        report.operation(),
        "seed",
        report.seed(),
        "passed",
        report.passed(),
        "points",
        report.points().stream().map(JsonReport::point).toList(),
        "runs",
        report.runs().stream().map(JsonReport::run).toList());
  }

  private static Map<String, @Nullable Object> run(RunReport run) {
    Carrier carrier = run.carrier();
    Problem problem = run.problem();
    return fields(
        "replay_id",
        run.replayId(),
        "title",
        run.title(),
        "carrier",
        carrier == null ? null : carrier.words(),
        "faults",
        run.faults().stream().map(JsonReport::fault).toList(),
        "result",
        problem != null ? "not made" : run.findings().isEmpty() ? "held" : "violated",
        "findings",
        run.findings().stream()
            .map(finding -> fields("verdict", finding.verdict(), "text", finding.text()))
            .toList(),
        "problem",
        problem == null ? null : fields("kind", problem.kind(), "text", problem.text()),
        "notes",
        run.notes(),
        "took_ms",
        run.took().toMillis());
  }

  private static Map<String, @Nullable Object> fault(Fault fault) {
    CommitPoint point = fault.point();
    return fields("stage", fault.stage().id(), "point", point == null ? null : point(point));
  }

  private static Map<String, @Nullable Object> point(CommitPoint point) {
    return fields(
        "id",
        point.digest(),
        "phase",
        point.phase(),
        "resource",
        point.role().resource(),
        "action",
        point.role().action(),
        "detail",
        point.role().detail(),
        "thread",
        point.role().thread(),
        "occurrence",
        point.occurrence(),
        "site",
        point.site(),
        "changes",
        point.changes().stream()
            .map(change -> fields("what", change.what(), "site", change.site()))
            .toList());
  }

  private static Map<String, @Nullable Object> fields(@Nullable Object... namesAndValues) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      fields.put(String.valueOf(namesAndValues[i]), namesAndValues[i + 1]);
    }
    return fields;
  }

  private static String json(@Nullable Object value) {
    if (value == null || value instanceof Number || value instanceof Boolean) {
      return String.valueOf(value);
    }
    if (value instanceof Map<?, ?> map) {
      return map.entrySet().stream()
          .map(entry -> quote(String.valueOf(entry.getKey())) + ":" + json(entry.getValue()))
          .collect(Collectors.joining(",", "{", "}"));
    }
    if (value instanceof Collection<?> list) {
      return list.stream().map(JsonReport::json).collect(Collectors.joining(",", "[", "]"));
    }
    return quote(Objects.toString(value));
  }

  private static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ') {
        quoted.append("\\u%04x".formatted((int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }
}
