package dev.holdfast.benchmarks;

/** A benchmark could not be run to its end; it has no figures. */
final class BenchmarkFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  BenchmarkFailure(String message) {
    super(message);
  }

  BenchmarkFailure(String message, Throwable cause) {
    super(message + ": " + cause.getMessage(), cause);
  }
}
