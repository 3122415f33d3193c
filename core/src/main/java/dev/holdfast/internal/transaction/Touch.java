package dev.holdfast.internal.transaction;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a callback has done with a connection, as far as can be seen without asking the server. */
public enum Touch {
  /** No statement was made. */
  NOTHING,
  /** All looked like queries; one that calls a function can have written all the same. */
  QUERIES,
  /** It may have written. */
  ANYTHING;

  /** The same, after one more statement. */
  public Touch and(@Nullable String sql) {
    return this != ANYTHING && sql != null && isQuery(sql) ? QUERIES : ANYTHING;
  }

  private static boolean isQuery(String sql) {
    String text = sql.stripLeading();
    if (text.toLowerCase(Locale.ROOT).contains("notify")) {
      // It has no id of a transaction until the commit, and cannot be prepared.
      return false;
    }
    return text.regionMatches(true, 0, "select", 0, 6)
        || text.toLowerCase(Locale.ROOT).startsWith("values")
        || text.regionMatches(true, 0, "table ", 0, 6);
  }
}
