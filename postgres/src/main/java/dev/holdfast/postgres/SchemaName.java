package dev.holdfast.postgres;

import dev.holdfast.InvalidConfiguration;
import java.util.regex.Pattern;

/** A schema's name, safe to be put into SQL unquoted. */
record SchemaName(String value) {
  private static final Pattern VALID = Pattern.compile("[a-z_][a-z0-9_]{0,49}");

  SchemaName {
    if (!VALID.matcher(value).matches() || value.startsWith("pg_")) {
      throw new InvalidConfiguration(
          "The schema name '"
              + value
              + "' cannot be used; nothing was touched. Use 1 to 50 of the characters a-z 0-9 _,"
              + " not beginning with a digit or pg_.");
    }
  }

  /** The text with {@code ${schema}} filled in. */
  String in(String sql) {
    return sql.replace("${schema}", value);
  }
}
