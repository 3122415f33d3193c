package dev.holdfast.internal.transaction;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Tells SQL that would end the transaction it is executed in, wherever it stands in a text of
 * several statements. What is in literals, quoted names, bodies between dollars and comments is
 * passed over, as PostgreSQL reads them with {@code standard_conforming_strings}; behind a
 * backslash and a quote in a plain literal, which ends it there and goes on with it in MariaDB,
 * nothing is looked at. In the body of a function that is {@code BEGIN ATOMIC} a semicolon and an
 * {@code END} mean something else, so of a text with that word only the first statement is looked
 * at.
 */
final class Ending {
  private final String sql;
  private int at;

  private Ending(String sql) {
    this.sql = sql;
  }

  /** The words that do, if there are any. */
  static @Nullable String of(String sql) {
    Ending text = new Ending(sql);
    String word = text.next();
    if (word != null || sql.indexOf(';', text.at) < 0 || isAtomic(sql)) {
      return word;
    }
    while (word == null && text.skipStatement()) {
      word = text.next();
    }
    return word;
  }

  private static boolean isAtomic(String sql) {
    return sql.toLowerCase(Locale.ROOT).contains("atomic");
  }

  /** Of the statement that begins here. A rollback to a savepoint ends nothing. */
  private @Nullable String next() {
    skipBlank();
    while (at < sql.length() && sql.charAt(at) == ';') {
      at++;
      skipBlank();
    }
    if (takes("commit")) {
      return "COMMIT";
    }
    if (takes("end")) {
      return "END";
    }
    if (takes("prepare")) {
      return takes("transaction") ? "PREPARE TRANSACTION" : null;
    }
    String word = takes("rollback") ? "ROLLBACK" : takes("abort") ? "ABORT" : null;
    if (word != null && !takes("work")) {
      takes("transaction");
    }
    return word == null || takes("to") ? null : word;
  }

  /** Goes behind a word and what is blank behind it, if it is the next. */
  private boolean takes(String word) {
    int end = at + word.length();
    if (!sql.regionMatches(true, at, word, 0, word.length())
        || (end < sql.length() && isOfAWord(sql.charAt(end)))) {
      return false;
    }
    at = end;
    skipBlank();
    return true;
  }

  private static boolean isOfAWord(char c) {
    return Character.isLetterOrDigit(c) || c == '_' || c == '$';
  }

  private void skipBlank() {
    int before;
    do {
      before = at;
      while (at < sql.length() && Character.isWhitespace(sql.charAt(at))) {
        at++;
      }
      skipComment();
    } while (at > before);
  }

  /** Those between a slash and a star can be nested. */
  private void skipComment() {
    if (sql.startsWith("--", at)) {
      while (at < sql.length() && sql.charAt(at) != '\n' && sql.charAt(at) != '\r') {
        at++;
      }
    } else if (sql.startsWith("/*", at)) {
      int depth = 0;
      do {
        int step = sql.startsWith("/*", at) ? 1 : sql.startsWith("*/", at) ? -1 : 0;
        depth += step;
        at += step == 0 ? 1 : 2;
      } while (depth > 0 && at < sql.length());
    }
  }

  /** Goes behind the semicolon that ends this one, if there is one. */
  private boolean skipStatement() {
    while (at < sql.length()) {
      int before = at;
      skipComment();
      if (at > before) {
        continue;
      }
      switch (sql.charAt(at)) {
        case ';' -> {
          at++;
          return true;
        }
        case '\'' -> skipLiteral(isEscaped());
        case '"' -> skipTo("\"", at + 1);
        case '$' -> skipDollars();
        default -> at++;
      }
    }
    return false;
  }

  /** Whether the literal that begins here is one with backslashes. */
  private boolean isEscaped() {
    return at > 0
        && Character.toLowerCase(sql.charAt(at - 1)) == 'e'
        && (at == 1 || !isOfAWord(sql.charAt(at - 2)));
  }

  /** A quote that is doubled ends one and begins another. */
  private void skipLiteral(boolean escaped) {
    at++;
    while (at < sql.length() && sql.charAt(at) != '\'') {
      if (!escaped && sql.startsWith("\\'", at)) {
        at = sql.length();
        return;
      }
      at += escaped && sql.charAt(at) == '\\' ? 2 : 1;
    }
    at++;
  }

  private void skipDollars() {
    int end = at + 1;
    while (end < sql.length() && isOfAWord(sql.charAt(end)) && sql.charAt(end) != '$') {
      end++;
    }
    boolean opens =
        end < sql.length()
            && sql.charAt(end) == '$'
            && (end == at + 1 || !Character.isDigit(sql.charAt(at + 1)))
            && (at == 0 || !isOfAWord(sql.charAt(at - 1)));
    if (opens) {
      skipTo(sql.substring(at, end + 1), end + 1);
    } else {
      at++;
    }
  }

  private void skipTo(String closing, int from) {
    int found = sql.indexOf(closing, from);
    at = found < 0 ? sql.length() : found + closing.length();
  }
}
