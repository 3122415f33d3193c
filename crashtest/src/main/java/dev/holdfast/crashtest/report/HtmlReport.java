package dev.holdfast.crashtest.report;

import java.util.List;

/**
 * The crash matrix: operation, point and carrier, on one page that needs nothing else. Every result
 * is a sign and a word; its colour says nothing that they do not.
 */
public final class HtmlReport {
  private static final String STYLE =
      """
      :root{color-scheme:light dark;--line:#8888;--held:#0072b222;--bad:#d55e0033;--none:#f0e44255}
      body{font:15px/1.45 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem}
      code,.site{font-family:ui-monospace,monospace;font-size:.86em}
      .wide{overflow-x:auto}table{border-collapse:collapse;margin:1rem 0}
      th,td{border:1px solid var(--line);padding:.35rem .6rem;text-align:left;vertical-align:top}
      td.held{background:var(--held)}
      td.bad{background:var(--bad);font-weight:600;border-width:3px}
      td.none{background:var(--none);border-style:dashed;border-width:3px}
      li{margin:.35rem 0}.replay{opacity:.8}
      """;

  private HtmlReport() {}

  /** Renders operations as one page. */
  public static String render(List<ExplorationReport> reports) {
    StringBuilder html = new StringBuilder();
    html.append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        .append("<meta name=\"viewport\" content=\"width=device-width\">")
        .append("<title>Crash matrix</title><style>")
        .append(STYLE)
        .append("</style></head><body><h1>Crash matrix</h1>")
        .append("<p>✓ held: what is there agrees with what the caller was told. ")
        .append("✗ violated. ? not made: the run says nothing.</p>");
    reports.forEach(report -> operation(html, report));
    return html.append("</body></html>\n").toString();
  }

  private static void operation(StringBuilder html, ExplorationReport report) {
    html.append("<section><h2>")
        .append(escape(report.operation()))
        .append("</h2><p>")
        .append(report.summary())
        .append(". Seed ")
        .append(report.seed())
        .append(".</p>");
    Matrix matrix = Matrix.of(report);
    if (!matrix.columns().isEmpty()) {
      table(html, matrix);
    }
    details(html, report);
    html.append("</section>");
  }

  private static void table(StringBuilder html, Matrix matrix) {
    html.append("<div class=\"wide\"><table><thead><tr><th scope=\"col\">commit point</th>");
    for (Matrix.Column column : matrix.columns()) {
      html.append("<th scope=\"col\">")
          .append(escape(column.carrier().words()))
          .append("<br>")
          .append(escape(column.heading()))
          .append("</th>");
    }
    html.append("</tr></thead><tbody>");
    for (Matrix.Row row : matrix.rows()) {
      html.append("<tr><th scope=\"row\">")
          .append(row.number() == 0 ? "" : "p" + row.number() + " ")
          .append("<span class=\"site\">")
          .append(escape(row.label()))
          .append("</span></th>");
      row.cells().forEach(cell -> cell(html, cell));
      html.append("</tr>");
    }
    html.append("</tbody></table></div>");
  }

  private static void cell(StringBuilder html, Matrix.Cell cell) {
    if (cell.isEmpty()) {
      html.append("<td>–</td>");
      return;
    }
    String kind = cell.isViolated() ? "bad" : cell.isInvalid() ? "none" : "held";
    String sign = cell.isViolated() ? "✗ " : cell.isInvalid() ? "? " : "✓ ";
    html.append("<td class=\"")
        .append(kind)
        .append("\">")
        .append(sign)
        .append(escape(cell.words()))
        .append("</td>");
  }

  private static void details(StringBuilder html, ExplorationReport report) {
    html.append("<ul>");
    for (RunReport run : report.runs()) {
      if (!run.passed()) {
        html.append("<li>").append(escape(run.title())).append("<ul>");
        Problem problem = run.problem();
        if (problem != null) {
          item(html, "? " + problem);
        }
        run.findings().forEach(finding -> item(html, "✗ " + finding));
        run.notes().forEach(note -> item(html, "note: " + note));
        html.append("<li class=\"replay\">replay: <code>")
            .append(escape(run.replayId()))
            .append("</code></li></ul></li>");
      }
    }
    html.append("</ul><details><summary>All runs</summary><ol>");
    for (RunReport run : report.runs()) {
      String notes = run.notes().isEmpty() ? "" : ". Note: " + String.join(" ", run.notes());
      item(
          html,
          "%s %s, %d ms%s"
              .formatted(run.passed() ? "✓" : "✗", run.title(), run.took().toMillis(), notes));
    }
    html.append("</ol></details>");
  }

  private static void item(StringBuilder html, String text) {
    html.append("<li>").append(escape(text)).append("</li>");
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
