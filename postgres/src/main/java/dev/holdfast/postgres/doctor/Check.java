package dev.holdfast.postgres.doctor;

import dev.holdfast.doctor.Finding;
import java.sql.SQLException;
import java.util.List;

/**
 * One thing to look at.
 *
 * @param id what its findings are called when it gets no answer
 */
record Check(String id, Work work) {

  /** Asks; at least one finding. */
  @FunctionalInterface
  interface Work {
    List<Finding> examine(Patient patient) throws SQLException;
  }
}
