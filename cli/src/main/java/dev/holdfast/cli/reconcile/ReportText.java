package dev.holdfast.cli.reconcile;

import dev.holdfast.cli.Table;
import dev.holdfast.reconcile.Difference;
import dev.holdfast.reconcile.Drift;
import dev.holdfast.reconcile.Entry;
import dev.holdfast.reconcile.Report;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A report for people, and for programs. */
record ReportText(Report report) {
  private static final int LINES = 20;

  static String name(Drift drift) {
    return drift.name().toLowerCase(Locale.ROOT);
  }

  static String version(@Nullable Entry entry) {
    return entry == null ? "-" : entry.version();
  }

  /** One sentence. */
  String summary() {
    StringBuilder text = new StringBuilder();
    if (report.differences() == 0) {
      text.append("No drift.");
    } else {
      List<String> counts = new ArrayList<>();
      for (Drift drift : Drift.values()) {
        if (report.count(drift) > 0) {
          counts.add("%,d %s".formatted(report.count(drift), name(drift)));
        }
      }
      text.append(String.join(", ", counts)).append('.');
    }
    if (!report.complete()) {
      text.append(" There may be more: it was not looked for so many.");
    }
    if (report.unsettled() > 0) {
      text.append(
          " %,d keys changed while they were looked at; the next run looks again."
              .formatted(report.unsettled()));
    }
    return text.toString();
  }

  /** What was done; empty in a dry run without drift. */
  String repairs() {
    Report.Repairs repairs = report.repairs();
    if (repairs.dryRun()) {
      return report.differences() == 0 ? "" : "A dry run: nothing was repaired. Give --repair.";
    }
    return "%,d repaired, %,d overtaken by a change, %,d refused; %,d left."
        .formatted(repairs.done(), repairs.overtaken(), repairs.refused(), report.left());
  }

  /** What it cost. */
  String work() {
    return "Read %,d rows of the source and %,d of the derived side, and %,d sums, in %,d calls and %.1f s."
        .formatted(
            report.work().sourceRows(),
            report.work().derivedRows(),
            report.work().summaries(),
            report.work().calls(),
            report.took().toMillis() / 1_000.0);
  }

  String age() {
    return report.oldest().isEmpty()
        ? ""
        : "The oldest difference that is left is %,d s old, at least."
            .formatted(report.driftAge().toSeconds());
  }

  String text() {
    StringBuilder text = new StringBuilder();
    text.append("%s with %s: %s%n".formatted(report.source(), report.derived(), summary()));
    if (!report.samples().isEmpty()) {
      List<List<String>> rows = new ArrayList<>();
      report.samples().stream().limit(LINES).forEach(each -> rows.add(row(each)));
      text.append(Table.of(List.of("drift", "key", "source", "derived", "since"), rows));
      if (report.differences() > rows.size()) {
        text.append("… and %,d more.%n".formatted(report.differences() - rows.size()));
      }
    }
    report
        .repairs()
        .reasons()
        .forEach(reason -> text.append("Refused: ").append(reason).append('\n'));
    for (String line : List.of(repairs(), age(), work())) {
      if (!line.isEmpty()) {
        text.append(line).append('\n');
      }
    }
    return text.toString();
  }

  /** Control characters would speak to the terminal. */
  static List<String> row(Difference each) {
    return List.of(
        name(each.drift()),
        each.key().replaceAll("\\p{Cntrl}", "?"),
        version(each.source()),
        version(each.derived()),
        each.since().toString());
  }

  Map<String, Object> json() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("source", report.source());
    all.put("derived", report.derived());
    all.put("at", report.at().toString());
    all.put("took_ms", report.took().toMillis());
    all.put("complete", report.complete());
    all.put("suspected", report.suspected());
    all.put("unsettled", report.unsettled());
    Map<String, Object> counts = new LinkedHashMap<>();
    for (Drift drift : Drift.values()) {
      counts.put(name(drift), report.count(drift));
    }
    all.put("differences", counts);
    all.put("left", report.left());
    all.put("drift_age_ms", report.driftAge().toMillis());
    Map<String, Object> repairs = new LinkedHashMap<>();
    repairs.put("dry_run", report.repairs().dryRun());
    repairs.put("done", report.repairs().done());
    repairs.put("overtaken", report.repairs().overtaken());
    repairs.put("refused", report.repairs().refused());
    repairs.put("reasons", report.repairs().reasons());
    all.put("repairs", repairs);
    Map<String, Object> work = new LinkedHashMap<>();
    work.put("source_rows", report.work().sourceRows());
    work.put("derived_rows", report.work().derivedRows());
    work.put("summaries", report.work().summaries());
    work.put("calls", report.work().calls());
    all.put("work", work);
    all.put("samples", report.samples().stream().map(ReportText::json).toList());
    return all;
  }

  private static Map<String, Object> json(Difference each) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("drift", name(each.drift()));
    value.put("key", each.key());
    value.put("source_version", each.source() == null ? null : each.source().version());
    value.put("derived_version", each.derived() == null ? null : each.derived().version());
    value.put("since", each.since().toString());
    return value;
  }
}
