package dev.holdfast.cli.takeover;

import dev.holdfast.cli.Json;
import dev.holdfast.postgres.Takeover.Left;
import dev.holdfast.postgres.Takeover.Preview;
import dev.holdfast.postgres.Takeover.Waiting;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the command says: the same as text and as JSON. Not thread-safe. */
final class Report {
  private final Map<String, Object> json = new LinkedHashMap<>();
  private final List<String> lines = new ArrayList<>();

  Report(String table, boolean execute) {
    json.put("table", table);
    json.put("executed", execute);
  }

  Report put(String name, Object value) {
    json.put(name, value);
    return this;
  }

  Report say(String line) {
    lines.add(line);
    return this;
  }

  void preview(Preview preview) {
    json.put("waiting", preview.waiting().stream().map(Report::json).toList());
    json.put("left", preview.left().stream().map(Report::json).toList());
    if (preview.waiting().isEmpty()) {
      say("Nothing waits in " + json.get("table") + " that is to be moved.");
    }
    for (Waiting topic : preview.waiting()) {
      say(
          "%d for topic %s%s%s%s"
              .formatted(
                  topic.rows(),
                  topic.topic(),
                  topic.oldest() == null ? "" : ", the oldest of " + topic.oldest(),
                  topic.unpublishable() == 0
                      ? ""
                      : ", %d of which no message can be made".formatted(topic.unpublishable()),
                  topic.routed() ? "" : ", which no channel takes"));
    }
    for (Left left : preview.left()) {
      say("%d are left where they are: %s".formatted(left.rows(), left.reason()));
    }
  }

  private static Map<String, Object> json(Waiting topic) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("topic", topic.topic());
    value.put("rows", topic.rows());
    value.put("oldest", topic.oldest() == null ? null : topic.oldest().toString());
    value.put("unpublishable", topic.unpublishable());
    value.put("routed", topic.routed());
    return value;
  }

  private static Map<String, Object> json(Left left) {
    return Map.of("reason", left.reason(), "rows", left.rows());
  }

  String text(boolean asJson) {
    if (asJson) {
      json.put("messages", lines);
      return Json.text(json);
    }
    return String.join("\n", lines) + "\n";
  }
}
