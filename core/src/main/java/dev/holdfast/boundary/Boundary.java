package dev.holdfast.boundary;

import java.util.List;
import java.util.Set;

/** A resource with a commit of its own. What it declares is what guarantees are computed from. */
public interface Boundary {

  /** A short name for people, such as {@code kafka broker-1:9092}; never with credentials. */
  String description();

  /** What it is, wherever it is, and in which mode, such as {@code kafka (plain)}. */
  default String kind() {
    return description();
  }

  Set<Capability> capabilities();

  /** What it means when this boundary acknowledges an effect. */
  Acknowledgment acknowledgment();

  /** What has to be true for all that to hold, and is not in this boundary's own hands. */
  default List<Assumption> assumptions() {
    return List.of();
  }
}
