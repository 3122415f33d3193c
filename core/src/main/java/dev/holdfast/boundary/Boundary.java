package dev.holdfast.boundary;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
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

  /**
   * For how long after the first attempt this boundary does what the capability says: how long it
   * keeps a key or an id, how long a hold lasts. Empty: as long as the effect itself is there.
   *
   * <p>A boundary that keeps something for a time has to say for how long. Until it does, the time
   * is zero, so that nothing is promised on its behalf.
   */
  default Optional<Duration> window(Capability capability) {
    return switch (capability) {
      case IDEMPOTENCY_KEY, DEDUPLICATION, RESERVATION -> Optional.of(Duration.ZERO);
      case LOCAL_TRANSACTION,
          PREPARE,
          PROGRESS_MARK,
          EXPECTED_VERSION,
          LOOKUP,
          COMPENSATION,
          ORDER_PER_KEY ->
          Optional.empty();
    };
  }
}
