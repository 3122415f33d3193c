package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.List;

/** Plain text in columns. */
public final class Table {
  private Table() {}

  /** The header, a rule and the rows; numbers are set to the right. */
  public static String of(List<String> header, List<List<String>> rows) {
    List<List<String>> all = new ArrayList<>();
    all.add(header);
    all.addAll(rows);
    int[] widths = new int[header.size()];
    boolean[] right = new boolean[header.size()];
    for (int column = 0; column < widths.length; column++) {
      int at = column;
      widths[at] = all.stream().mapToInt(row -> row.get(at).length()).max().orElse(0);
      right[at] =
          !rows.isEmpty() && rows.stream().allMatch(row -> row.get(at).matches("-|[0-9.,]+"));
    }
    StringBuilder text = new StringBuilder();
    for (int index = 0; index < all.size(); index++) {
      line(text, all.get(index), widths, right);
      if (index == 0) {
        List<String> rule = new ArrayList<>();
        for (int width : widths) {
          rule.add("-".repeat(width));
        }
        line(text, rule, widths, right);
      }
    }
    return text.toString();
  }

  private static void line(StringBuilder text, List<String> cells, int[] widths, boolean[] right) {
    StringBuilder line = new StringBuilder();
    for (int column = 0; column < widths.length; column++) {
      String cell = cells.get(column);
      String fill = " ".repeat(widths[column] - cell.length());
      line.append(column == 0 ? "" : "  ").append(right[column] ? fill + cell : cell + fill);
    }
    text.append(line.toString().stripTrailing()).append('\n');
  }
}
