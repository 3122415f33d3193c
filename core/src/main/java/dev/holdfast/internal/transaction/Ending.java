package dev.holdfast.internal.transaction;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Tells SQL that would end the transaction it is executed in. Only the first statement of a text is
 * looked at: what follows a semicolon may as well stand in a literal, or in the body of a function.
 */
final class Ending {
  private static final String NOTHING = "(?:\\s++|;|--[^\\n]*+|/\\*.*?\\*/)*+";

  /** A rollback to a savepoint ends nothing. */
  private static final Pattern ENDS =
      Pattern.compile(
          NOTHING
              + "(commit\\b|end\\b|prepare\\s+transaction\\b"
              + "|(?:rollback|abort)\\b(?!(?:\\s+(?:work|transaction))?\\s+to\\b))",
          Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  private Ending() {}

  /** The word that does, if there is one. */
  static @Nullable String of(String sql) {
    Matcher matcher = ENDS.matcher(sql);
    return matcher.lookingAt() ? matcher.group(1).toUpperCase(Locale.ROOT) : null;
  }
}
