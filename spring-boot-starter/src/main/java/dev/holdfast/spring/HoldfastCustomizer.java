package dev.holdfast.spring;

import dev.holdfast.Holdfast;

/**
 * A bean that sets what no property does, on the builder that the properties have been applied to:
 * a listener, a clock, a channel to a target of one's own. Called once, before the start.
 */
@FunctionalInterface
public interface HoldfastCustomizer {
  void customize(Holdfast.Builder builder);
}
