package dev.holdfast.guarantee;

import dev.holdfast.doctor.Finding;
import java.util.List;

/**
 * A clause beside what the running servers answered.
 *
 * @param because the findings that take something away from it; empty when none does
 */
public record JudgedClause(Clause clause, Standing standing, List<Finding> because) {
  public JudgedClause {
    because = List.copyOf(because);
  }
}
