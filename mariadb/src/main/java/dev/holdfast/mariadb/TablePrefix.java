package dev.holdfast.mariadb;

import dev.holdfast.InvalidConfiguration;
import java.util.regex.Pattern;

/** What the names of our tables begin with, safe to be put into SQL unquoted. */
record TablePrefix(String value) {
  /** A name has 64 characters at most, and the longest that we append has 15. */
  private static final Pattern VALID = Pattern.compile("[a-z_][a-z0-9_]{0,39}");

  TablePrefix {
    if (!VALID.matcher(value).matches()) {
      throw new InvalidConfiguration(
          "The name '"
              + value
              + "', with which the names of Holdfast's tables would begin, cannot be used; nothing"
              + " was touched. Use 1 to 40 of the characters a-z 0-9 _, not beginning with a digit.");
    }
  }

  /** The text with {@code ${prefix}} filled in. */
  String in(String sql) {
    return sql.replace("${prefix}", value);
  }
}
