package dev.holdfast.guarantee;

import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What one resolution promises between named boundaries, computed by {@link Guarantees}. Immutable.
 *
 * @param name tells it from the others of this version: {@code outbox to kafka}
 * @param between the boundaries whose declarations it is computed from, each once
 * @param replaces the stronger guarantee that it stands in for
 * @param givenUp what that one would have given and this does not
 * @param risks what can still go wrong, though every clause holds
 */
public record Guarantee(
    String name,
    List<Boundary> between,
    Resolution resolution,
    String replaces,
    List<String> givenUp,
    List<Clause> clauses,
    List<String> risks) {
  public Guarantee {
    between = List.copyOf(between);
    givenUp = List.copyOf(givenUp);
    clauses = List.copyOf(clauses);
    risks = List.copyOf(risks);
  }

  /** What its clauses rest on, each once, in their order. */
  public List<Assumption> assumptions() {
    return clauses.stream().flatMap(clause -> clause.assumes().stream()).distinct().toList();
  }

  /**
   * Its clauses as they stand at running servers.
   *
   * @param findings what the servers answered; those about other things are passed over, and a
   *     finding {@code kafka.connection} without answer leaves every {@code kafka.} unknown
   */
  public List<JudgedClause> judge(List<Finding> findings) {
    return clauses.stream().map(clause -> judge(clause, findings)).toList();
  }

  private static JudgedClause judge(Clause clause, List<Finding> findings) {
    List<Standing> standings = new ArrayList<>(List.of(Standing.HOLDS));
    List<Finding> because = new ArrayList<>();
    for (String check : checks(clause)) {
      List<Finding> answers =
          findings.stream()
              .filter(finding -> finding.id().equals(check) || isSilence(finding, check))
              .toList();
      if (answers.isEmpty()) {
        standings.add(Standing.ASSUMED);
      }
      for (Finding answer : answers) {
        standings.add(standing(answer.severity()));
        if (answer.severity() != Severity.OK && answer.severity() != Severity.NOT_ASKED) {
          because.add(answer);
        }
      }
    }
    return new JudgedClause(
        clause, standings.stream().max(Comparator.naturalOrder()).orElseThrow(), because);
  }

  private static Set<String> checks(Clause clause) {
    return clause.assumes().stream()
        .flatMap(assumption -> assumption.checks().stream())
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Whether the server that {@code check} is about did not answer at all. */
  private static boolean isSilence(Finding finding, String check) {
    return finding.severity() == Severity.UNKNOWN
        && finding.id().equals(check.substring(0, check.indexOf('.')) + ".connection");
  }

  private static Standing standing(Severity severity) {
    return switch (severity) {
      case OK -> Standing.HOLDS;
      case NOT_ASKED -> Standing.ASSUMED;
      case UNKNOWN -> Standing.NOT_KNOWN;
      case WARN -> Standing.WEAKENED;
      case FAIL -> Standing.DOES_NOT_HOLD;
    };
  }
}
