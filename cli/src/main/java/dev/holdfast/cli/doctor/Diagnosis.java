package dev.holdfast.cli.doctor;

import dev.holdfast.cli.Credentials;
import dev.holdfast.cli.Printable;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The findings together. */
record Diagnosis(List<Finding> findings, boolean strict) {
  private static final int FINE = 0;
  private static final int FAILED = 1;

  /** Not 2, which says that the arguments cannot be used. */
  private static final int NOT_ANSWERED = 3;

  private static final List<Severity> WORST_FIRST =
      List.of(Severity.FAIL, Severity.UNKNOWN, Severity.WARN, Severity.NOT_ASKED, Severity.OK);

  int status() {
    if (has(Severity.FAIL) || (strict && has(Severity.WARN))) {
      return FAILED;
    }
    return has(Severity.UNKNOWN) ? NOT_ANSWERED : FINE;
  }

  private boolean has(Severity severity) {
    return findings.stream().anyMatch(each -> each.severity() == severity);
  }

  /** What is to be done, worst first; what is well in one line. */
  String text() {
    StringBuilder text = new StringBuilder();
    findings.stream()
        .filter(each -> each.severity() != Severity.OK)
        .sorted(Comparator.comparing(each -> WORST_FIRST.indexOf(each.severity())))
        .forEach(each -> text.append(text(each)));
    List<String> well =
        findings.stream()
            .filter(each -> each.severity() == Severity.OK)
            .map(Finding::id)
            .distinct()
            .toList();
    Map<Severity, Long> counts = counts();
    text.append(
        "%d failed, %d without answer, %d warned of, %d fine%s%n"
            .formatted(
                counts.get(Severity.FAIL),
                counts.get(Severity.UNKNOWN),
                counts.get(Severity.WARN),
                counts.get(Severity.OK),
                well.isEmpty() ? "." : ": " + String.join(", ", well) + "."));
    return text.toString();
  }

  private static String text(Finding finding) {
    StringBuilder text =
        new StringBuilder(
            "%-9s %s%s%n          %s%n"
                .formatted(
                    name(finding.severity()),
                    finding.id(),
                    finding.subject().isEmpty() ? "" : " [" + finding.subject() + "]",
                    Printable.of(Credentials.mask(finding.found()))));
    if (finding.meaning() != null) {
      text.append("          ").append(finding.meaning()).append('\n');
    }
    if (finding.remedy() != null) {
      text.append("          > ").append(finding.remedy()).append('\n');
    }
    return text.toString();
  }

  private static String name(Severity severity) {
    return severity.name().replace('_', ' ');
  }

  private Map<Severity, Long> counts() {
    Map<Severity, Long> counts = new EnumMap<>(Severity.class);
    for (Severity severity : Severity.values()) {
      counts.put(severity, findings.stream().filter(each -> each.severity() == severity).count());
    }
    return counts;
  }

  Map<String, Object> json() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("status", status());
    Map<String, Object> numbers = new LinkedHashMap<>();
    counts()
        .forEach((severity, count) -> numbers.put(severity.name().toLowerCase(Locale.ROOT), count));
    all.put("counts", numbers);
    List<Map<String, Object>> list = new ArrayList<>();
    for (Finding finding : findings) {
      Map<String, Object> value = new LinkedHashMap<>();
      value.put("id", finding.id());
      value.put("severity", finding.severity().name());
      value.put("subject", finding.subject());
      value.put("found", Credentials.mask(finding.found()));
      value.put("meaning", finding.meaning());
      value.put("remedy", finding.remedy());
      value.put("evidence", finding.evidence());
      list.add(value);
    }
    all.put("findings", list);
    return all;
  }
}
