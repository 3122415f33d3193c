package dev.holdfast.cli.guarantees;

import dev.holdfast.boundary.Assumption;
import dev.holdfast.guarantee.Clause;
import dev.holdfast.guarantee.Guarantee;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** GUARANTEES.md. */
final class MarkdownPage {
  private static final String HEAD =
      """
      # Guarantees

      What this version promises, computed from what its boundaries declare. `holdfast guarantees`
      prints the same, and asks your servers when they are named: what does not hold there is taken
      away from the clauses, in words, as by `fsync=off` or a topic with one replica.

      Each clause names what it rests on, and the tests that try to break it. The build fails for a
      clause that no test attacks; tests whose names begin with `RabbitMq` run where its packages are
      installed (`-Prabbitmq`). This page is generated:
      `./mvnw test -pl cli -am -Dtest=GuaranteesPageTest -DupdateDocs=true`.
      """;

  private MarkdownPage() {}

  static String of(List<Guarantee> guarantees, Attacks attacks) {
    StringBuilder page = new StringBuilder(HEAD);
    for (Guarantee guarantee : guarantees) {
      page.append("\n## ").append(capitalised(guarantee.name())).append("\n\n");
      page.append("It replaces: ").append(guarantee.replaces()).append(".\n\n");
      guarantee
          .between()
          .forEach(each -> page.append("- ").append(Declared.sentence(each)).append(".\n"));
      for (Clause clause : guarantee.clauses()) {
        page.append(section(clause, attacks));
      }
      page.append(list("Given up", guarantee.givenUp()));
      page.append(
          list(
              "What it rests on",
              guarantee.assumptions().stream().map(MarkdownPage::assumption).toList()));
      page.append(list("What can still go wrong", guarantee.risks()));
    }
    return page.toString();
  }

  private static String section(Clause clause, Attacks attacks) {
    StringBuilder section =
        new StringBuilder(
            "\n### `%s`: %s, at %s\n\n%s\n\n"
                .formatted(
                    clause.id(),
                    clause.aspect().name().toLowerCase(Locale.ROOT),
                    clause.boundary(),
                    clause.text()));
    if (!clause.assumes().isEmpty()) {
      section.append(code("Rests on", clause.assumes().stream().map(Assumption::id).toList()));
    }
    return section.append(code("Attacked by", attacks.on(clause.id()))).toString();
  }

  private static String code(String title, List<String> names) {
    return names.stream().collect(Collectors.joining("`, `", "- " + title + ": `", "`\n"));
  }

  private static String assumption(Assumption assumption) {
    return "`%s`: %s %s"
        .formatted(
            assumption.id(),
            assumption.text(),
            assumption.checks().isEmpty()
                ? "(Nobody can be asked.)"
                : assumption.checks().stream()
                    .sorted()
                    .collect(Collectors.joining("`, `", "(Asked for by `", "`.)")));
  }

  private static String list(String title, List<String> lines) {
    return lines.isEmpty()
        ? ""
        : lines.stream().collect(Collectors.joining("\n- ", "\n### " + title + "\n\n- ", "\n"));
  }

  private static String capitalised(String name) {
    return name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1);
  }
}
