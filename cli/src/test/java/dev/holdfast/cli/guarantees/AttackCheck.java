package dev.holdfast.cli.guarantees;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Brings clauses and the tests that attack them together. */
final class AttackCheck {
  private AttackCheck() {}

  /** What is wrong; empty when every clause is attacked, and nothing else is. */
  static List<String> problems(Set<String> clauses, TestSources sources) {
    List<String> problems = new ArrayList<>();
    Set<String> attacked = new TreeSet<>();
    for (TestSources.Attack attack : sources.attacks()) {
      if (!attack.isTest()) {
        problems.add(attack.name() + " is no test.");
      } else if (attack.disabled()) {
        problems.add(attack.name() + " is disabled.");
      } else if (!sources.isRun(attack.type())) {
        problems.add("Nobody runs " + attack.name() + " in the build.");
      } else {
        attacked.addAll(attack.clauses());
      }
      attack.clauses().stream()
          .filter(clause -> !clauses.contains(clause))
          .forEach(
              clause ->
                  problems.add(
                      "%s attacks %s, which is no clause. There are %s."
                          .formatted(attack.name(), clause, new TreeSet<>(clauses))));
    }
    for (String clause : new TreeSet<>(clauses)) {
      if (!attacked.contains(clause)) {
        problems.add(
            "No test attacks the clause %s. Write one and annotate it with @Attacks, or do not promise it."
                .formatted(clause));
      }
    }
    return problems;
  }

  /** The tests by clause, both in order. */
  static Map<String, List<String>> byClause(TestSources sources) {
    Map<String, List<String>> byClause = new TreeMap<>();
    for (TestSources.Attack attack : sources.attacks()) {
      for (String clause : attack.clauses()) {
        byClause.computeIfAbsent(clause, id -> new ArrayList<>()).add(attack.name());
      }
    }
    byClause.values().forEach(names -> names.sort(null));
    return byClause;
  }
}
