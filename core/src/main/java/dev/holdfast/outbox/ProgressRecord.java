package dev.holdfast.outbox;

import dev.holdfast.HoldfastException;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.StoreIdentity;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Progress as it is kept at a target: how far the channel has come, and in which database's history
 * that is meant.
 *
 * @param claim the epoch of the leader that wrote it
 * @param copies how many copies of the progress the database had when this was written: one that
 *     has fewer has lost commits
 */
record ProgressRecord(StoreIdentity identity, long claim, long copies, Cursor cursor) {
  private static final String FORMAT = "holdfast-progress-1";

  String encode() {
    StringBuilder text = new StringBuilder(160).append(FORMAT);
    put(text, "store", identity.storeId().toString());
    put(text, "system", identity.system());
    put(text, "timeline", Long.toString(identity.timeline()));
    put(text, "era", Integer.toString(identity.era()));
    put(text, "claim", Long.toString(claim));
    put(text, "copies", Long.toString(copies));
    put(text, "from", cursor.from());
    put(text, "to", cursor.to());
    put(text, "position", Long.toString(cursor.position()));
    put(text, "replayed", Long.toString(cursor.replayed()));
    return text.toString();
  }

  private static void put(StringBuilder text, String name, @Nullable String value) {
    if (value != null) {
      text.append(' ').append(name).append('=').append(value);
    }
  }

  /**
   * @throws HoldfastException when it is not a progress record of a known format
   */
  static ProgressRecord decode(String text) {
    String[] parts = text.split(" ");
    Map<String, String> fields = new HashMap<>();
    for (String part : parts) {
      int equals = part.indexOf('=');
      if (equals > 0) {
        fields.put(part.substring(0, equals), part.substring(equals + 1));
      }
    }
    try {
      if (!parts[0].equals(FORMAT)) {
        throw new IllegalArgumentException("format " + parts[0]);
      }
      return new ProgressRecord(
          new StoreIdentity(
              UUID.fromString(need(fields, "store")),
              need(fields, "system"),
              Long.parseLong(need(fields, "timeline")),
              Integer.parseInt(need(fields, "era"))),
          Long.parseLong(need(fields, "claim")),
          Long.parseLong(need(fields, "copies")),
          new Cursor(
              need(fields, "from"),
              fields.get("to"),
              Long.parseLong(need(fields, "position")),
              Long.parseLong(need(fields, "replayed"))));
    } catch (IllegalArgumentException e) {
      throw new HoldfastException(
          "The progress record at the target cannot be read by this version of Holdfast ("
              + e.getMessage()
              + "). Nothing was delivered. Run the version that wrote it, or a newer one.",
          e);
    }
  }

  private static String need(Map<String, String> fields, String name) {
    String value = fields.get(name);
    if (value == null) {
      throw new IllegalArgumentException("no field " + name);
    }
    return value;
  }
}
