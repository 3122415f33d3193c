package dev.holdfast.benchmarks;

import java.util.List;
import java.util.Optional;

/** Whether Axon Framework 5 is there, which needs Java 21 to be compiled against and to be run. */
final class AxonSupport {
  private static final int JAVA = 21;
  private static final String CONTENDER = "AxonEventContender";

  private AxonSupport() {}

  /** The contender, where it is there. */
  static List<EventContender> contenders() {
    if (leftOut().isPresent()) {
      return List.of();
    }
    try {
      return List.of(
          Class.forName(AxonSupport.class.getPackageName() + "." + CONTENDER)
              .asSubclass(EventContender.class)
              .getDeclaredConstructor()
              .newInstance());
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("axon cannot be made", e);
    }
  }

  /** Why it is not there, in words for people; empty where it is. */
  static Optional<String> leftOut() {
    return leftOut(
        Runtime.version().feature(), AxonSupport.class.getResource(CONTENDER + ".class") != null);
  }

  /**
   * @param java that this runs on
   * @param built whether the build has compiled the contender
   */
  static Optional<String> leftOut(int java, boolean built) {
    if (java < JAVA) {
      return Optional.of(
          "axon is left out: it needs Java %d, and this runs on %d.".formatted(JAVA, java));
    }
    return built
        ? Optional.empty()
        : Optional.of(
            "axon is left out: it needs Java %d, and this was built on an older one."
                .formatted(JAVA));
  }
}
