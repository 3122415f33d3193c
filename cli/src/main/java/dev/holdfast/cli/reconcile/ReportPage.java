package dev.holdfast.cli.reconcile;

import dev.holdfast.reconcile.Difference;
import dev.holdfast.reconcile.Drift;
import dev.holdfast.reconcile.Report;
import java.util.List;

/** A report as one page that needs nothing else. */
final class ReportPage {
  private static final String STYLE =
      """
      :root{color-scheme:light dark;--line:#8888}
      body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
      .wide{overflow-x:auto}table{border-collapse:collapse;margin:1rem 0}
      th,td{border:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top}
      td.key{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere}
      .verdict{font-size:1.2rem;font-weight:600}
      """;

  private ReportPage() {}

  static String render(Report report) {
    ReportText text = new ReportText(report);
    StringBuilder html = new StringBuilder();
    html.append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        .append("<meta name=\"viewport\" content=\"width=device-width\">")
        .append("<title>Reconciliation</title><style>")
        .append(STYLE)
        .append("</style></head><body><h1>Reconciliation</h1><p>")
        .append(escape(report.source()))
        .append(" with ")
        .append(escape(report.derived()))
        .append(", begun ")
        .append(report.at())
        .append("</p><p class=\"verdict\">")
        .append(report.left() == 0 ? "✓ " : "✗ ")
        .append(escape(text.summary()))
        .append("</p>");
    for (String line : List.of(text.repairs(), text.age(), text.work())) {
      if (!line.isEmpty()) {
        html.append("<p>").append(escape(line)).append("</p>");
      }
    }
    counts(html, report);
    samples(html, report);
    reasons(html, report);
    return html.append("</body></html>\n").toString();
  }

  private static void counts(StringBuilder html, Report report) {
    html.append("<table><thead><tr>");
    for (Drift drift : Drift.values()) {
      html.append("<th scope=\"col\">").append(ReportText.name(drift)).append("</th>");
    }
    html.append("</tr></thead><tbody><tr>");
    for (Drift drift : Drift.values()) {
      html.append("<td>").append("%,d".formatted(report.count(drift))).append("</td>");
    }
    html.append("</tr></tbody></table>");
  }

  private static void samples(StringBuilder html, Report report) {
    if (report.samples().isEmpty()) {
      return;
    }
    html.append("<h2>")
        .append(
            report.samples().size() == report.differences()
                ? "Differences"
                : "Some of the differences")
        .append("</h2><div class=\"wide\"><table><thead><tr>");
    for (String column : List.of("drift", "key", "source", "derived", "since")) {
      html.append("<th scope=\"col\">").append(column).append("</th>");
    }
    html.append("</tr></thead><tbody>");
    for (Difference each : report.samples()) {
      html.append("<tr>");
      for (String cell : ReportText.row(each)) {
        html.append("<td class=\"key\">").append(escape(cell)).append("</td>");
      }
      html.append("</tr>");
    }
    html.append("</tbody></table></div>");
  }

  private static void reasons(StringBuilder html, Report report) {
    if (!report.repairs().reasons().isEmpty()) {
      html.append("<h2>Refused</h2><ul>");
      report
          .repairs()
          .reasons()
          .forEach(reason -> html.append("<li>").append(escape(reason)).append("</li>"));
      html.append("</ul>");
    }
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
