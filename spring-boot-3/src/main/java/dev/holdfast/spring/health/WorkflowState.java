package dev.holdfast.spring.health;

import java.util.List;
import java.util.Optional;

/**
 * What this process does with workflows.
 *
 * @param runs the workflows that it runs, with their versions
 * @param leased whether it holds its lease: without, others take its runs over
 */
public record WorkflowState(List<String> runs, boolean leased) {

  /** That of this process now; empty where it runs no workflows. */
  @FunctionalInterface
  public interface Here {
    Optional<WorkflowState> get();
  }
}
