package dev.holdfast.crashtest.report;

import java.util.ArrayList;
import java.util.List;

/** A table of what each fault showed, and what is wrong below it. */
public final class ConsoleReport {
  private ConsoleReport() {}

  /** Renders one operation. */
  public static String render(ExplorationReport report) {
    StringBuilder text = new StringBuilder();
    line(text, report.operation() + ": " + report.summary());
    Matrix matrix = Matrix.of(report);
    for (Matrix.Row row : matrix.rows()) {
      line(text, "  %-4s %s".formatted(name(row), row.label()));
    }
    if (!matrix.columns().isEmpty()) {
      table(text, matrix);
    }
    for (RunReport run : report.runs()) {
      details(text, run);
    }
    return text.toString();
  }

  private static void table(StringBuilder text, Matrix matrix) {
    List<List<String>> lines = new ArrayList<>();
    List<String> carriers = new ArrayList<>(List.of(""));
    List<String> stages = new ArrayList<>(List.of(""));
    matrix.columns().forEach(column -> carriers.add(column.carrier().words()));
    matrix.columns().forEach(column -> stages.add(column.heading()));
    lines.add(carriers);
    lines.add(stages);
    for (Matrix.Row row : matrix.rows()) {
      List<String> cells = new ArrayList<>(List.of(name(row)));
      row.cells().forEach(cell -> cells.add(cell.isEmpty() ? "-" : cell.words()));
      lines.add(cells);
    }
    for (List<String> cells : lines) {
      StringBuilder line = new StringBuilder(" ");
      for (int i = 0; i < cells.size(); i++) {
        int column = i;
        int width = lines.stream().mapToInt(each -> each.get(column).length()).max().orElse(0);
        line.append(' ').append(cells.get(i)).append(" ".repeat(width - cells.get(i).length() + 1));
      }
      line(text, line.toString().stripTrailing());
    }
  }

  private static void details(StringBuilder text, RunReport run) {
    if (run.passed() && run.notes().isEmpty()) {
      return;
    }
    line(text, "  " + run.title());
    Problem problem = run.problem();
    if (problem != null) {
      line(text, "    " + problem);
    }
    run.findings().forEach(finding -> line(text, "    " + finding));
    run.notes().forEach(note -> line(text, "    note: " + note));
    if (!run.passed()) {
      line(text, "    replay: " + run.replayId());
    }
  }

  private static String name(Matrix.Row row) {
    return row.number() == 0 ? "end" : "p" + row.number();
  }

  private static void line(StringBuilder text, String line) {
    text.append(line).append(System.lineSeparator());
  }
}
