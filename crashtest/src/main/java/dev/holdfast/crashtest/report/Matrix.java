package dev.holdfast.crashtest.report;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The runs of one operation by where (row: a point, or the end) and how (column: carrier and
 * stage). Runs with a second fault belong to the cell of their first.
 */
record Matrix(List<Column> columns, List<Row> rows) {

  record Column(Carrier carrier, Stage stage) {
    String heading() {
      if (carrier == Carrier.LOST_ACK) {
        return "answer lost";
      }
      return switch (stage) {
        case BEFORE, AFTER_LAST -> "before";
        case ACK_LOST, REPLY_LOST -> "after, not acknowledged";
        case BUFFERED -> "later, still held back";
      };
    }
  }

  /** A point and its number; number 0 is the end. */
  record Row(int number, String label, List<Cell> cells) {}

  record Cell(List<RunReport> runs) {
    boolean isEmpty() {
      return runs.isEmpty();
    }

    boolean isInvalid() {
      return runs.stream().anyMatch(run -> run.problem() != null);
    }

    boolean isViolated() {
      return runs.stream().anyMatch(run -> !run.findings().isEmpty());
    }

    /** What all its runs showed: the verdicts, or that nothing was wrong. */
    String words() {
      if (runs.isEmpty()) {
        return "";
      }
      Set<String> words = new LinkedHashSet<>();
      for (RunReport run : runs) {
        Problem problem = run.problem();
        if (problem != null) {
          words.add(problem.kind().toString());
        }
        run.findings().forEach(finding -> words.add(finding.verdict().toString()));
      }
      String more = runs.size() > 1 ? " (" + runs.size() + " runs)" : "";
      return (words.isEmpty() ? "held" : String.join(" ", words)) + more;
    }
  }

  static Matrix of(ExplorationReport report) {
    List<Column> columns =
        report.runs().stream()
            .filter(run -> !run.isGolden())
            .map(Matrix::column)
            .distinct()
            .sorted(java.util.Comparator.comparing(Column::carrier).thenComparing(Column::stage))
            .toList();
    List<Row> rows = new ArrayList<>();
    int number = 0;
    for (CommitPoint point : report.points()) {
      number++;
      rows.add(row(report, columns, number, point.toString()));
    }
    rows.add(row(report, columns, 0, "the end, and the answer to the caller"));
    return new Matrix(columns, rows);
  }

  private static Row row(ExplorationReport report, List<Column> columns, int number, String label) {
    List<Cell> cells = new ArrayList<>();
    for (Column column : columns) {
      cells.add(
          new Cell(
              report.runs().stream()
                  .filter(run -> !run.isGolden())
                  .filter(run -> run.faults().get(0).number() == number)
                  .filter(run -> column(run).equals(column))
                  .collect(Collectors.toList())));
    }
    return new Row(number, label, cells);
  }

  private static Column column(RunReport run) {
    Carrier carrier = java.util.Objects.requireNonNull(run.carrier());
    return switch (run.faults().get(0).stage()) {
      case BEFORE, AFTER_LAST -> new Column(carrier, Stage.BEFORE);
      case BUFFERED -> new Column(carrier, Stage.BUFFERED);
      case ACK_LOST, REPLY_LOST -> new Column(carrier, Stage.ACK_LOST);
    };
  }
}
