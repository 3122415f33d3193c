package dev.holdfast.spring;

import dev.holdfast.HoldfastException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Shows what Holdfast says of a failed start without the stack above it. */
final class HoldfastFailureAnalyzer extends AbstractFailureAnalyzer<HoldfastException> {
  @Override
  protected FailureAnalysis analyze(Throwable rootFailure, HoldfastException cause) {
    return new FailureAnalysis(String.valueOf(cause.getMessage()), null, cause);
  }
}
