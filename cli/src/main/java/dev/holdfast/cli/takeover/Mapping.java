package dev.holdfast.cli.takeover;

import static dev.holdfast.cli.takeover.TableShape.literal;

import dev.holdfast.InvalidConfiguration;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which topics and keys messages get.
 *
 * @param topic with <code>{type}</code> where the row's type belongs
 * @param keyPointer an RFC 6901 pointer into the payload, or null for the table's own key
 * @param only a LIKE pattern of types; rows of others are not looked at
 */
record Mapping(String topic, @Nullable String keyPointer, String only) {
  private static final String TYPE = "{type}";

  Mapping {
    if (keyPointer != null && !keyPointer.startsWith("/")) {
      throw new InvalidConfiguration(
          "'%s' is no JSON pointer, so nothing was done. Write it as /customer/id."
              .formatted(keyPointer));
    }
  }

  /** The topic of a row; characters that a topic may not have become hyphens. */
  String topicSql(String type) {
    String cleaned = "regexp_replace(%s, '[^A-Za-z0-9._-]', '-', 'g')".formatted(type);
    return Arrays.stream(topic.split("(?=\\{type})|(?<=\\{type})"))
        .map(part -> part.equals(TYPE) ? cleaned : literal(part))
        .collect(Collectors.joining(" || "));
  }

  /** What every topic begins with. */
  String topicPrefix() {
    int at = topic.indexOf(TYPE);
    return at < 0 ? topic : topic.substring(0, at);
  }

  boolean isOneTopic() {
    return !topic.contains(TYPE);
  }

  /**
   * @param payload the JSON, as text
   * @param own the key unless a pointer is given
   */
  String keySql(String payload, String own) {
    if (keyPointer == null) {
      return own;
    }
    String path =
        Arrays.stream(keyPointer.substring(1).split("/", -1))
            .map(step -> literal(step.replace("~1", "/").replace("~0", "~")))
            .collect(Collectors.joining(", "));
    return "(%s)::jsonb #>> array[%s]".formatted(payload, path);
  }

  String onlySql(String type) {
    return only.equals("%") ? "true" : "(%s) like %s".formatted(type, literal(only));
  }
}
