package dev.holdfast.cli.advise;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/** The word of a fixed list that somebody meant. */
final class Word {
  private Word() {}

  /** How a constant is typed. */
  static String of(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * @param what the word is, such as {@code kind}
   * @throws NotUnderstood if it is none of them; the message names the nearest, and all
   */
  static <T extends Enum<T>> T find(String what, String typed, T[] all, Function<T, String> name) {
    String word = typed.toLowerCase(Locale.ROOT).replace('_', '-');
    List<String> names = Arrays.stream(all).map(name).toList();
    int at = names.indexOf(word);
    if (at >= 0) {
      return all[at];
    }
    throw new NotUnderstood(
        "There is no %s '%s'.%s The %ss are: %s."
            .formatted(
                what,
                typed,
                nearest(word, names).map(n -> " Is '" + n + "' meant?").orElse(""),
                what,
                String.join(", ", names)));
  }

  /** Empty when none is near: half of the letters, or more, would have to change. */
  static Optional<String> nearest(String word, List<String> names) {
    return names.stream()
        .min(Comparator.comparingInt(name -> distance(word, name)))
        .filter(
            name ->
                (word.length() > 1 && name.startsWith(word))
                    || 2 * distance(word, name) < Math.max(word.length(), name.length()));
  }

  /** Levenshtein's: letters to insert, to delete or to replace. */
  private static int distance(String one, String other) {
    int[] above = new int[other.length() + 1];
    Arrays.setAll(above, column -> column);
    for (int row = 1; row <= one.length(); row++) {
      int[] current = new int[other.length() + 1];
      current[0] = row;
      for (int column = 1; column <= other.length(); column++) {
        int replaced = one.charAt(row - 1) == other.charAt(column - 1) ? 0 : 1;
        current[column] =
            Math.min(
                above[column - 1] + replaced, 1 + Math.min(above[column], current[column - 1]));
      }
      above = current;
    }
    return above[other.length()];
  }
}
