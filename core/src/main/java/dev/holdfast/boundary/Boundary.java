package dev.holdfast.boundary;

import java.util.Set;

/** A resource with a commit of its own. What it declares is what guarantees are computed from. */
public interface Boundary {

  /** A short name for people, such as {@code kafka broker-1:9092}; never with credentials. */
  String description();

  Set<Capability> capabilities();

  /** What it means when this boundary acknowledges an effect. */
  Acknowledgment acknowledgment();
}
