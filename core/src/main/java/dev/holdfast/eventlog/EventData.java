package dev.holdfast.eventlog;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * An event that is to be appended. Immutable, apart from the data array, which is not copied and
 * must not be changed.
 *
 * @param id names it for ever: appended again, with the same body, it is not appended twice
 * @param type its stable name, 1 to 200 characters; never that of a Java class
 * @param schemaVersion of the data, from 1
 * @param contentType of the data, 1 to 200 characters
 * @param data its body, 16 MiB at most, and no more than the store's {@code max_payload_bytes}
 * @param metadata what is said about it, 64 entries and 16 KiB at most; no part of its body
 * @param tags what it is about, as {@code course:17}, for conditions: 20 at most, of 1 to 200
 *     characters each; a part of its body
 */
public record EventData(
    UUID id,
    String type,
    int schemaVersion,
    String contentType,
    byte[] data,
    Map<String, String> metadata,
    Set<String> tags) {
  static final int MOST_TAGS = 20;
  private static final int MOST_BYTES = 16 * 1024 * 1024;
  private static final int MOST_ENTRIES = 64;
  private static final int MOST_METADATA_BYTES = 16 * 1024;

  /**
   * @throws InvalidEvent when one of them is out of its bounds
   */
  public EventData {
    requireName("The type of an event", type);
    requireName("The content type of an event", contentType);
    if (schemaVersion < 1) {
      throw new InvalidEvent(
          "The schema version of an event of type %s is %d, and must be 1 or more. Nothing was appended."
              .formatted(type, schemaVersion));
    }
    requireAtMost("bytes", type, data.length, MOST_BYTES);
    requireAtMost("tags", type, tags.size(), MOST_TAGS);
    tags.forEach(tag -> requireName("A tag", tag));
    requireAtMost("entries of metadata", type, metadata.size(), MOST_ENTRIES);
    int bytes = 0;
    for (Map.Entry<String, String> entry : metadata.entrySet()) {
      requireText("A part of the metadata", entry.getKey());
      requireText("A part of the metadata", entry.getValue());
      bytes += utf8(entry.getKey()) + utf8(entry.getValue());
    }
    requireAtMost("bytes of metadata", type, bytes, MOST_METADATA_BYTES);
    metadata = Collections.unmodifiableMap(new TreeMap<>(metadata));
    tags = Collections.unmodifiableSet(new TreeSet<>(tags));
  }

  /** An event of schema version 1 in JSON, under an id of its own. */
  public static EventData json(String type, String json) {
    return json(UUID.randomUUID(), type, json);
  }

  /** An event of schema version 1 in JSON. */
  public static EventData json(UUID id, String type, String json) {
    return new EventData(
        id, type, 1, "application/json", json.getBytes(StandardCharsets.UTF_8), Map.of(), Set.of());
  }

  /** The same, whose data is of this schema version. */
  public EventData withSchemaVersion(int value) {
    return new EventData(id, type, value, contentType, data, metadata, tags);
  }

  /** The same, with these tags alone. */
  public EventData withTags(String... values) {
    return new EventData(
        id, type, schemaVersion, contentType, data, metadata, new TreeSet<>(List.of(values)));
  }

  /** The same, with one more entry of metadata, or with another value of it. */
  public EventData withMetadata(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(metadata);
    more.put(name, value);
    return new EventData(id, type, schemaVersion, contentType, data, more, tags);
  }

  /** The type and the id; the data may be confidential. */
  @Override
  public String toString() {
    return "EventData[" + type + " " + id + "]";
  }

  static void requireName(String what, String name) {
    requireText(what, name);
    int length = name.codePointCount(0, name.length());
    if (length < 1 || length > 200) {
      throw new InvalidEvent(
          "%s has %d characters, and must have 1 to 200. Nothing was appended."
              .formatted(what, length));
    }
  }

  /** The one character that PostgreSQL's text cannot hold. */
  private static void requireText(String what, String text) {
    if (text.indexOf('\0') >= 0) {
      throw new InvalidEvent(
          "%s has the character U+0000, which cannot be kept. Nothing was appended."
              .formatted(what));
    }
  }

  private static void requireAtMost(String what, String type, int actual, int bound) {
    if (actual > bound) {
      throw new InvalidEvent(
          "An event of type %s has %d %s, over the bound of %d. Nothing was appended."
              .formatted(type, actual, what, bound));
    }
  }

  private static int utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
