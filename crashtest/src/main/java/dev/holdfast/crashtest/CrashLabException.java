package dev.holdfast.crashtest;

import dev.holdfast.HoldfastException;
import dev.holdfast.crashtest.report.Problem;

/** A run could not be made as planned, so that it says nothing about the operation. */
public class CrashLabException extends HoldfastException {
  private static final long serialVersionUID = 1L;

  private final Problem problem;

  public CrashLabException(Problem.Kind kind, String message) {
    this(new Problem(kind, message, null));
  }

  CrashLabException(Problem problem) {
    super(problem.toString(), problem.cause());
    this.problem = problem;
  }

  public CrashLabException(Problem.Kind kind, String message, Throwable cause) {
    this(new Problem(kind, message, cause));
  }

  public Problem problem() {
    return problem;
  }
}
