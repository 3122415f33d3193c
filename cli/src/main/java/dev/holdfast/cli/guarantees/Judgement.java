package dev.holdfast.cli.guarantees;

import dev.holdfast.boundary.Assumption;
import dev.holdfast.cli.Credentials;
import dev.holdfast.doctor.Finding;
import dev.holdfast.guarantee.Guarantee;
import dev.holdfast.guarantee.JudgedClause;
import dev.holdfast.guarantee.Standing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The sheets, as they stand. */
record Judgement(List<Sheet> sheets, boolean strict) {
  private static final int FINE = 0;
  private static final int DOES_NOT_HOLD = 1;

  /** As of the doctor: not 2, which says that the arguments cannot be used. */
  private static final int NOT_ANSWERED = 3;

  /** A guarantee and its clauses. */
  record Sheet(Guarantee guarantee, List<JudgedClause> clauses) {}

  static Judgement of(List<Guarantee> guarantees, List<Finding> findings, boolean strict) {
    return new Judgement(
        guarantees.stream().map(each -> new Sheet(each, each.judge(findings))).toList(), strict);
  }

  int status() {
    if (count(Standing.DOES_NOT_HOLD) > 0 || (strict && count(Standing.WEAKENED) > 0)) {
      return DOES_NOT_HOLD;
    }
    return count(Standing.NOT_KNOWN) > 0 ? NOT_ANSWERED : FINE;
  }

  private long count(Standing standing) {
    return sheets.stream()
        .flatMap(sheet -> sheet.clauses().stream())
        .filter(clause -> clause.standing() == standing)
        .count();
  }

  /**
   * @param asked whether servers were asked; else nothing is said of how the clauses stand
   */
  String text(boolean asked) {
    StringBuilder text = new StringBuilder();
    for (Sheet sheet : sheets) {
      Guarantee guarantee = sheet.guarantee();
      text.append(guarantee.name()).append('\n');
      guarantee
          .between()
          .forEach(each -> text.append("  ").append(Declared.sentence(each)).append(".\n"));
      text.append("  replaces: ").append(guarantee.replaces()).append(".\n");
      for (JudgedClause clause : sheet.clauses()) {
        text.append(text(clause, asked));
      }
      text.append(list("given up", guarantee.givenUp()));
      text.append(
          list(
              "rests on",
              guarantee.assumptions().stream()
                  .map(
                      each ->
                          each.text() + (each.checks().isEmpty() ? " Nobody can be asked." : ""))
                  .toList()));
      text.append(list("can still go wrong", guarantee.risks())).append('\n');
    }
    if (asked) {
      text.append(
          Arrays.stream(Standing.values())
              .map(each -> count(each) + " " + words(each))
              .collect(Collectors.joining(", ", "Of all clauses: ", ".\n")));
    }
    return text.toString();
  }

  private static String text(JudgedClause judged, boolean asked) {
    StringBuilder text =
        new StringBuilder(
            "  %s, at %s%s%n    %s%n"
                .formatted(
                    judged.clause().id(),
                    judged.clause().boundary(),
                    asked ? ": " + words(judged.standing()).toUpperCase(Locale.ROOT) : "",
                    judged.clause().text()));
    for (Finding finding : judged.because()) {
      text.append("    ! ").append(Credentials.mask(finding.found()));
      if (finding.meaning() != null) {
        text.append(' ').append(finding.meaning());
      }
      text.append('\n');
      if (finding.remedy() != null) {
        text.append("    > ").append(finding.remedy()).append('\n');
      }
    }
    return text.toString();
  }

  private static String list(String title, List<String> lines) {
    return lines.isEmpty()
        ? ""
        : lines.stream().collect(Collectors.joining("\n    - ", "  " + title + "\n    - ", "\n"));
  }

  static String words(Standing standing) {
    return standing.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  Map<String, Object> json(Attacks attacks) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("status", status());
    List<Map<String, Object>> guarantees = new ArrayList<>();
    for (Sheet sheet : sheets) {
      Map<String, Object> value = new LinkedHashMap<>();
      value.put("name", sheet.guarantee().name());
      value.put("resolution", sheet.guarantee().resolution().name());
      value.put("between", sheet.guarantee().between().stream().map(Declared::json).toList());
      value.put("replaces", sheet.guarantee().replaces());
      value.put("given_up", sheet.guarantee().givenUp());
      value.put("clauses", sheet.clauses().stream().map(clause -> json(clause, attacks)).toList());
      value.put(
          "assumptions", sheet.guarantee().assumptions().stream().map(Judgement::json).toList());
      value.put("risks", sheet.guarantee().risks());
      guarantees.add(value);
    }
    all.put("guarantees", guarantees);
    return all;
  }

  private static Map<String, Object> json(JudgedClause judged, Attacks attacks) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("id", judged.clause().id());
    value.put("aspect", judged.clause().aspect().name());
    value.put("boundary", judged.clause().boundary());
    value.put("text", judged.clause().text());
    value.put("assumes", judged.clause().assumes().stream().map(Assumption::id).toList());
    value.put("standing", judged.standing().name());
    value.put(
        "because",
        judged.because().stream()
            .map(
                finding -> {
                  Map<String, Object> because = new LinkedHashMap<>();
                  because.put("finding", finding.id());
                  because.put("subject", finding.subject());
                  because.put("found", Credentials.mask(finding.found()));
                  because.put("meaning", finding.meaning());
                  because.put("remedy", finding.remedy());
                  return because;
                })
            .toList());
    value.put("attacked_by", attacks.on(judged.clause().id()));
    return value;
  }

  private static Map<String, Object> json(Assumption assumption) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("id", assumption.id());
    value.put("text", assumption.text());
    value.put("checks", assumption.checks().stream().sorted().toList());
    return value;
  }
}
